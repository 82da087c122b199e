import sys; sys.path.insert(0,'/tmp/k/p')
from sweep import *
import cma, time
from msroi.metrics import psnr_hvs_and_hvsm
from msroi.images import luma
from msroi.encoder import standard
P={'lw':(.3,.3,0),'y_f':(.6,.2,0),'y_dc':(.8,.2,1),'y_w':(.85,.15,0),'y_t':(1.1,.25,1),
'cb_f':(.9,.25,0),'cb_s':(.75,.3,1),'cb_dc':(.5,.3,1),'cb_w':(.95,.25,0),'cb_t':(1.,.4,1),
'cr_f':(.7,.2,0),'cr_s':(.6,.25,1),'cr_dc':(1.,.3,1),'cr_w':(.6,.25,0),'cr_t':(.8,.4,1),
'mask':(.1,.08,0),'cmask':(.05,.08,0),'dark':(.1,.25,0)}
BASE=pickle.load(open('bal.pkl','rb'))|dict(A=0.)
def dec_(x):
    t=dict(BASE)
    for v,(k,(a,s,l)) in zip(x,P.items()): t[k]=float(a*np.exp(s*v)) if l else float(a+s*v)
    return t
@lru_cache(None)
def stdm(n,Q):
    im,_=load(n); s=base.dec(standard.write(im,Q)); return psnr_hvs_and_hvsm(luma(im),luma(s))
def one2(t,n,Q):
    im,r=load(n); o=REF[n][Q]
    d,_=enc.encode(im,t,o['bytes'],quality=Q,planes=planes(n,t['samp'])); x=base.dec(d)
    h=np.subtract(psnr_hvs_and_hvsm(luma(im),luma(x)),stdm(n,Q))
    return [r.score(x)-o['std'], base.psnr(im,x)-o['std_psnr'],*h]
GOAL={50:(5.83,.85,.75,.25),90:(1.5,.85,.3,.2)}
def fit(v):
    f=0
    for Q in (50,90):
        s,p,h,m=v[Q]; g=GOAL[Q]
        f+= s*(1 if Q==50 else 1.5) - 8*max(0,g[1]-p)-8*max(0,g[2]-h)-6*max(0,g[3]-m) + .3*min(p,1.5)
    return f
def score(par,ts,ns):
    jobs=[(t,n,Q) for n in ns for t in ts for Q in (50,90)]
    res=par(delayed(one2)(*j) for j in jobs)
    return [{Q:np.mean([r for j,r in zip(jobs,res) if j[0] is t and j[2]==Q],0) for Q in (50,90)} for t in ts]
if __name__=='__main__':
    w=int(sys.argv[2]); par=Parallel(w,batch_size=1)
    es=cma.CMAEvolutionStrategy([0]*len(P),.5,dict(popsize=12,seed=5,verbose=-9)); t0=time.time(); best=(-99,)
    if len(sys.argv)>3: es=pickle.load(open('cm2_es.pkl','rb'))
    while time.time()-t0<float(sys.argv[1]):
        X=es.ask(); ts=[dec_(x) for x in X]; vs=score(par,ts,(1,5,9,13,19,23)); f=[-fit(v) for v in vs]; es.tell(X,f); i=int(np.argmin(f))
        if -f[i]>best[0]: best=(-f[i],ts[i],vs[i])
        pickle.dump((best,dec_(es.mean)),open('cm2.pkl','wb')); pickle.dump(es,open('cm2_es.pkl','wb'))
        print(round(time.time()-t0),round(-f[i],2),round(-np.median(f),2),{Q:np.round(v,2).tolist() for Q,v in vs[i].items()},flush=True)
