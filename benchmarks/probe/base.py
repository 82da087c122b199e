"""Reference numbers of the peers: Kodak, bytes of standard Q."""
import sys; sys.path.insert(0,'/tmp/k/p')
import numpy as np, pickle
from io import BytesIO
from PIL import Image
import enc, ss2, pyjpegli
from msroi.encoder import standard
from msroi.encoder.budget import search
from joblib import Parallel, delayed
def dec(d): return np.asarray(Image.open(BytesIO(d)).convert('RGB'))
def luma(x): return x.astype(float)@[.299,.587,.114]
def psnr(a,b): return 10*np.log10(255**2/((luma(a)-luma(b))**2).mean())
import jpeglib,tempfile
def moz(im,q):
    s=(5000/q if q<50 else 200-2*q)
    def st(q): # ceil between
        from math import floor
        lo=standard._scaled
        below=int(q); a,b=(standard._scaled(enc.ROB,min(x,100)) for x in (below,below+1))
        return standard.natural(np.where(q-below>standard._TURNS,b,a)).astype(np.uint8)
    tb=np.stack([st(q)]*2).reshape(2,8,8)
    with jpeglib.version("mozjpeg403"), tempfile.TemporaryDirectory() as f:
        j=jpeglib.from_spatial(im); j.samp_factor="4:2:0"; j.write_spatial(f+'/a.jpg',qt=tb,quant_tbl_no=[0,1,1]); return open(f+'/a.jpg','rb').read()
def jl(im,q): return pyjpegli.encode(im.tobytes(),im.shape[1],im.shape[0],q)
def one(n):
    im=np.asarray(Image.open(f'SHARED/kodak/kodim{n:02d}.png').convert('RGB')); r=ss2.Ref(im); out={}
    sj={q:None for q in range(20,101)}
    def J(q):
        if sj[q] is None: d=jl(im,q); sj[q]=(len(d),r.score(dec(d)))
        return sj[q]
    for Q in (30,50,75,90):
        d=standard.write(im,Q); B=len(d); o={'bytes':B,'std':r.score(dec(d)),'std_psnr':psnr(im,dec(d))}
        m=search(lambda q: moz(im,q),B,standard.FINE_QUALITIES); o['moz']=r.score(dec(m.data)); o['moz_psnr']=psnr(im,dec(m.data)); o['mozlen']=len(m.data)
        m=standard.mozjpeg(im,None,quality=Q,max_bytes=B); o['mozstd']=r.score(dec(m.data))
        q=20
        while q<100 and J(q+1)[0]<=B: q+=1
        (b0,s0),(b1,s1)=J(q),J(min(q+1,100))
        o['jpegli']=s0; o['jpegli_i']=s0+(s1-s0)*np.log(B/b0)/np.log(b1/b0) if b1>b0 else s0; o['jlen']=b0
        out[Q]=o
    return n,out
if __name__=='__main__':
    res=dict(Parallel(2)(delayed(one)(n) for n in range(1,25)))
    pickle.dump(res,open('/tmp/k/p/base.pkl','wb'))
    for Q in (30,50,75,90):
        print(Q,{k:round(np.mean([res[n][Q][k]-(res[n][Q]['std'] if k in('moz','mozstd','jpegli','jpegli_i') else 0) for n in res]),3) for k in res[1][Q]})
