"""Kodak, the tool of the branch: all metrics at the bytes of standard's qualities."""
import sys,os; os.chdir('/tmp/wt/enc'); sys.path[:0]=['/tmp/wt/enc','/tmp/k/p']; os.environ['TQDM_DISABLE']='1'
import numpy as np,pickle
from PIL import Image
import ss2,base
from joblib import Parallel,delayed
REF=pickle.load(open('/tmp/k/p/base.pkl','rb')); KM=pickle.load(open('/tmp/k/p/kmaps.pkl','rb'))
def one(n,jobs,Qs):
    from msroi import metrics
    from msroi.encoder import encode_detailed, standard
    im=np.asarray(Image.open(f'SHARED/kodak/kodim{n:02d}.png').convert('RGB')); r=ss2.Ref(im); m=KM[n][0]; out={}
    for Q in Qs:
        s=metrics.compare(im,base.dec(standard.write(im,Q)),m); B=REF[n][Q]['bytes']
        for nm,o in jobs.items():
            e=encode_detailed(im,m,quality=Q,**o); x=base.dec(e.data); v=metrics.compare(im,x,m)
            out[nm,Q]=[r.score(x)-REF[n][Q]['std'],*(v[k]-s[k] for k in ('psnr','psnr_s','psnr_hvs','psnr_hvsm','ssim','ms_ssim','vifp')),len(e.data)/B]
    return out
def table(jobs,Qs=(50,75,90),ns=range(1,25)):
    res=Parallel(2)(delayed(one)(n,jobs,Qs) for n in ns)
    for nm in jobs:
        for Q in Qs:
            v=np.array([r[nm,Q] for r in res]); a=v.mean(0)
            moz=np.mean([max(0,0)+REF[n][Q]['moz']-REF[n][Q]['std'] for n in ns]); jl=np.mean([REF[n][Q]['jpegli_i']-REF[n][Q]['std'] for n in ns])
            print(f'{nm:22}{Q}: SS2 {a[0]:+.2f} (moz {moz:+.2f} jpegli {jl:+.2f}) PSNR {a[1]:+.2f} S {a[2]:+.2f} HVS {a[3]:+.2f} HVSM {a[4]:+.2f} SSIM {a[5]:+.4f} MS {a[6]:+.4f} VIF {a[7]:+.3f} fill {a[8]:.4f} min {v[:,8].min():.4f}',flush=True)
if __name__=='__main__':
    table({t:dict(method='direct-flat',tune=t) for t in ('balanced','ssimulacra2')})
    table({'direct':dict(),'direct ss2':dict(tune='ssimulacra2')})
