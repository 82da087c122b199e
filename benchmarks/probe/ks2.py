import sys; sys.path[:0]=['/tmp/wt/enc','/tmp/k/p']; import os; os.environ['TQDM_DISABLE']='1'
import enc2; sys.modules['enc']=enc2
from sweep import *
from msroi import metrics
from msroi.encoder import standard
KM=pickle.load(open('/tmp/k/p/kmaps.pkl','rb'))
@lru_cache(None)
def stdm(n,Q):
    im,_=load(n); return metrics.compare(im,base.dec(standard.write(im,Q)),KM[n][0])
def one3(t,n,Q):
    im,r=load(n); o=REF[n][Q]
    d,_=enc2.encode(im,t,o['bytes'],KM[n][0],quality=Q,planes=planes(n,t['samp'])); x=base.dec(d)
    v=metrics.compare(im,x,KM[n][0]); s=stdm(n,Q)
    return [r.score(x)-o['std']]+[v[k]-s[k] for k in ('psnr','psnr_s','psnr_hvs','psnr_hvsm','ssim','ms_ssim','vifp')]
def show(C,ns=(3,7,11,15,17,21),Qs=(50,)):
    par=Parallel(2)
    jobs=[(t,n,Q) for n in ns for t in C.values() for Q in Qs]
    res=par(delayed(one3)(*j) for j in jobs)
    for nm,t in C.items():
        for Q in Qs:
            v=np.mean([r for j,r in zip(jobs,res) if j[0] is t and j[2]==Q],0)
            print(f'{nm:28}{Q} SS2 {v[0]:+.2f} PSNR {v[1]:+.2f} S {v[2]:+.2f} HVS {v[3]:+.2f} HVSM {v[4]:+.2f} SSIM {v[5]:+.4f} MS {v[6]:+.4f} VIF {v[7]:+.3f}',flush=True)
BAL=pickle.load(open('/tmp/k/p/bal2.pkl','rb'))|dict(lw=.3,y_f=.75,y_w=.65,y_t=1.04,y_dc=.66,mask=.06,cb_f=1.,cb_w=.88,cb_t=.84,cb_s=.9,cb_dc=.53,cr_f=.67,cr_w=.36,cr_t=.74,cr_s=.55,cr_dc=1.2,dark=.28,cmask=0.,rank=1,A=0.,cA=1.,lo=.6,hi=.8)
