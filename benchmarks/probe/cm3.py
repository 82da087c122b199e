from ks2 import *
import cma, time
P={'lw':(.3,.15,0),'y_f':(.64,.08,0),'y_w':(.95,.1,0),'y_dc':(.7,.12,1),'y_t':(1.04,.2,1),'mask':(.08,.05,0),'dark':(.25,.15,0),
'cb_s':(.9,.2,1),'cr_s':(.58,.2,1),'cb_dc':(.53,.2,1),'cr_w':(.4,.2,0),'cb_t':(.84,.25,1),'cr_t':(.74,.25,1),'add':(14.,.25,1),'lo':(.55,.06,0),'hi':(.82,.05,0),'cA':(.6,.3,0)}
def dec_(x):
    t=dict(BAL)
    for v,(k,(a,s,l)) in zip(x,P.items()): t[k]=float(a*np.exp(s*v)) if l else float(a+s*v)
    t['cA']=max(0.,min(1.2,t['cA'])); t['hi']=max(t['hi'],t['lo']+.05); return t
NS=(1,5,9,13,19,23)
def fit(f50,f90,m50):
    # order SS2 PSNR S HVS HVSM SSIM MS VIF
    g=min(f50[0],6.8)+ .5*min(f90[0],2.8) + 1.5*m50[2] + .3*m50[0]
    pen=lambda v,lo,w: w*max(0,lo-v)
    g-= pen(f50[0],6.0,6)+pen(f50[1],.75,10)+pen(f50[3],.72,10)+pen(f50[4],.2,8)+pen(f90[0],1.9,6)+pen(f90[3],.2,5)+pen(f90[4],.2,5)
    g-= pen(m50[4],.15,8)+pen(m50[5],.0015,3000)+pen(m50[6],.0001,20000)+pen(m50[7],.003,500)+pen(m50[3],.2,8)+pen(m50[1],.4,8)+pen(m50[0],3.2,3)
    return g
if __name__=='__main__':
    par=Parallel(2,batch_size=1); es=cma.CMAEvolutionStrategy([0]*len(P),.5,dict(popsize=12,seed=7,verbose=-9)); t0=time.time(); best=(-99,)
    while time.time()-t0<float(sys.argv[1]):
        X=es.ask(); ts=[dec_(x) for x in X]
        jobs=[(i,k,n) for n in NS for i in range(len(ts)) for k in ('f50','f90','m50')]
        res=par(delayed(one3)(ts[i]|({'add':0.} if k[0]=='f' else {}),n,int(k[1:])) for i,k,n in jobs)
        f=[]; vs=[]
        for i in range(len(ts)):
            v={k:np.mean([r for j,r in zip(jobs,res) if j[0]==i and j[1]==k],0) for k in ('f50','f90','m50')}
            vs.append(v); f.append(-fit(v['f50'],v['f90'],v['m50']))
        es.tell(X,f); i=int(np.argmin(f))
        if -f[i]>best[0]: best=(-f[i],ts[i],vs[i])
        pickle.dump((best,dec_(es.mean)),open('cm3.pkl','wb'))
        print(round(time.time()-t0),round(-f[i],2),round(-np.median(f),2),{k:np.round(v,3).tolist() for k,v in vs[i].items()},flush=True)
