import sys; sys.path.insert(0,'/tmp/k/p')
import numpy as np, pickle, json
from functools import lru_cache
from joblib import Parallel, delayed
import enc, ss2, base
from PIL import Image
from msroi.encoder import coefficients as dct
REF=pickle.load(open('/tmp/k/p/base.pkl','rb'))
@lru_cache(None)
def load(n):
    im=np.asarray(Image.open(f'SHARED/kodak/kodim{n:02d}.png').convert('RGB')); return im, ss2.Ref(im)
@lru_cache(40)
def planes(n,s): return dct.transform(load(n)[0],s)
def one(t,n,Q):
    im,r=load(n); o=REF[n][Q]
    d,_=enc.encode(im,t,o['bytes'],quality=Q,planes=planes(n,t['samp'])); x=base.dec(d)
    return r.score(x)-o['std'], base.psnr(im,x)-o['std_psnr']
POOL=None
def run(ts,ns,Qs):
    global POOL
    if POOL is None: POOL=Parallel(2,batch_size=1)
    jobs=[(t,n,Q) for n in ns for t in ts for Q in Qs]
    jobs.sort(key=lambda j:j[1])
    res=POOL(delayed(one)(*j) for j in jobs)
    out=[]
    for t in ts:
        out.append([tuple(np.mean([r for j,r in zip(jobs,res) if j[0] is t and j[2]==Q],0)) for Q in Qs])
    return out
def show(names,ts,ns=(1,5,9,13,19,23),Qs=(50,90)):
    for nm,o in zip(names,run(ts,ns,Qs)):
        print(f'{nm:40}',' | '.join(f'{s:+.2f} {p:+.2f}' for s,p in o),flush=True)
def T(**k): return enc.DEF|k
