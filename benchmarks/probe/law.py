import sys; sys.path.insert(0,'/tmp/k/p')
import numpy as np, pickle
import enc, ss2, base
from msroi.encoder import standard, coefficients as dct
M=pickle.load(open('cm_mean.pkl','rb'))
DATA={k:pickle.load(open(f'{k}.pkl','rb')) for k in('osie','ecssd')}
def lum(x): return x.astype(float)@[.299,.587,.114]
def ps(e,w=None): return 10*np.log10(255**2/(e.mean() if w is None else (e*w).sum()/w.sum()))
CACHE={}
def item(k,i):
    if (k,i) not in CACHE:
        nm,im,m,mc,tr=DATA[k][i]; d=standard.write(im,50); s=base.dec(d)
        e=(lum(s)-lum(im))**2; r=ss2.Ref(im)
        CACHE[k,i]=(im,m,mc,tr,len(d),dct.transform(im,(2,2)),r,(ps(e,tr),ps(e),r.score(s)))
    return CACHE[k,i]
def run(t,k,which,idx):
    out=[]
    for i in idx:
        im,m,mc,tr,B,pl,r,s=item(k,i)
        sal={'m':m,'mc':mc,'tr':(tr-tr.min())/(tr.max()-tr.min()),None:None}[which]
        d,_=enc.encode(im,t,B,sal,50,planes=pl); x=base.dec(d); e=(lum(x)-lum(im))**2
        out.append(np.subtract((ps(e,tr),ps(e),r.score(x)),s))
    return np.mean(out,0)
def show(name,t,sets=('osie','ecssd'),whichs=('m',),step=2,off=0):
    line=f'{name:28}'
    for k in sets:
        idx=range(off,len(DATA[k]),step)
        for w in whichs: line+=f' | {k[:2]}-{w} '+' '.join(f'{v:+.2f}' for v in run(t,k,w,idx))
    print(line,flush=True)
