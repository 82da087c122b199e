"""Fast SSIMULACRA2 (float32, reference cached) for probing; checked against the package."""
import numpy as np
from numba import njit
import ssimulacra2.ssimulacra2 as lib
W=lib.weights
SIG=1.5
R=int(3.33*SIG+0.5)
k=np.exp(-0.5*(np.arange(-R,R+1)/SIG)**2); K=(k/k.sum()).astype(np.float32)
M=lib.kOpsinAbsorbanceMatrix.reshape(3,3).astype(np.float32); B=np.float32(lib.kB0); CB=np.float32(np.cbrt(lib.kB0))
LUT=lib.srgb_to_linear(np.arange(256.).reshape(1,-1)).ravel().astype(np.float32)
@njit(cache=True,fastmath=True)
def xyb(lin,M,B,CB):
    _,h,w=lin.shape
    out=np.empty((3,h,w),np.float32)
    for i in range(h):
        for j in range(w):
            r,g,b=lin[0,i,j],lin[1,i,j],lin[2,i,j]
            m0=max(M[0,0]*r+M[0,1]*g+M[0,2]*b+B,np.float32(0))**np.float32(1/3)-CB
            m1=max(M[1,0]*r+M[1,1]*g+M[1,2]*b+B,np.float32(0))**np.float32(1/3)-CB
            m2=max(M[2,0]*r+M[2,1]*g+M[2,2]*b+B,np.float32(0))**np.float32(1/3)-CB
            x=np.float32(.5)*(m0-m1); y=np.float32(.5)*(m0+m1)
            out[0,i,j]=x*np.float32(14)+np.float32(.42); out[1,i,j]=y+np.float32(.01); out[2,i,j]=(m2-y)+np.float32(.55)
    return out
@njit(cache=True,fastmath=True)
def blur(p,K,zero_axis0,tmp,out):
    # planes [h,w] were transposed in lib; zero padding along lib's axis 0, reflect along axis 1
    h,w=p.shape; R=len(K)//2
    for i in range(h):
        for j in range(w): tmp[i,j]=0
        for t in range(-R,R+1):
            q=i+t
            if q<0 or q>=h:
                if zero_axis0==0: continue
                q=-q-1 if q<0 else 2*h-q-1
            kk=K[t+R]
            for j in range(w): tmp[i,j]+=kk*p[q,j]
    buf=np.empty(w+2*R,np.float32)
    for i in range(h):
        for j in range(w): buf[R+j]=tmp[i,j]
        for j in range(R):
            if zero_axis0==1: buf[j]=0; buf[R+w+j]=0
            else: buf[R-1-j]=tmp[i,j]; buf[R+w+j]=tmp[i,w-1-j]
        for j in range(w): out[i,j]=0
        for t in range(2*R+1):
            kk=K[t]
            for j in range(w): out[i,j]+=kk*buf[j+t]
def bl(p,axis):
    out=np.empty_like(p); tmp=np.empty_like(p)
    blur(p,K,axis,tmp,out); return out
def down(l):
    h,w=l.shape[1:]
    l=np.pad(l,((0,0),(0,h%2),(0,w%2)),mode='edge')
    return (l[:,::2,::2]+l[:,1::2,::2]+l[:,::2,1::2]+l[:,1::2,1::2])*np.float32(.25)
@njit(cache=True,fastmath=True)
def stats(m1,m2,s11,s22,s12,a,b):
    h,w=m1.shape; C2=np.float32(.0009); one=np.float32(1)
    r=np.zeros(6)
    for i in range(h):
        for j in range(w):
            x=m1[i,j]; y=m2[i,j]
            d=one-((one-(x-y)*(x-y))*(np.float32(2)*(s12[i,j]-x*y)+C2)/((s11[i,j]-x*x)+(s22[i,j]-y*y)+C2))
            d=max(d,np.float32(0)); r[0]+=d; d*=d; r[1]+=d*d
            e=(one+abs(b[i,j]-y))/(one+abs(a[i,j]-x))-one
            if e>0: r[2]+=e; e*=e; r[3]+=e*e
            else: e=-e; r[4]+=e; e*=e; r[5]+=e*e
    return r/(h*w)
AX=1  # lib works on the transposed image? linear.T gives [w,h]; stack axis2 -> [w,h,3]; its axis 0 is our w
class Ref:
    def __init__(s,img):
        lin=np.ascontiguousarray(LUT[img].transpose(2,0,1)); s.scales=[]
        for k in range(6):
            if min(lin.shape[1:])<8: break
            a=xyb(lin,M,B,CB)
            # lib: scale 0 and others alike transposed? srgb [h,w,3].T-> see below
            s.scales.append((a,[bl(p,s.ax(k)) for p in a],[bl(p*p,s.ax(k)) for p in a]))
            lin=down(lin)
    def ax(s,k):
        # linear.T transposes -> x stack is [w,h]; linear itself stays [h,w,3] and is downsampled, so every scale is [w,h]
        return AX
    def score(s,img):
        lin=np.ascontiguousarray(LUT[img].transpose(2,0,1)); tot=0.; per=[]
        for k,(a,m1,s11) in enumerate(s.scales):
            b=xyb(lin,M,B,CB)
            per.append([stats(m1[c],bl(b[c],s.ax(k)),s11[c],bl(b[c]*b[c],s.ax(k)),bl(a[c]*b[c],s.ax(k)),a[c],b[c]) for c in range(3)])
            lin=down(lin)
        i=0
        for c in range(3):
            for p in per:
                r=p[c].copy(); r[1::2]=r[1::2]**.25
                for n in range(2):
                    tot+=W[i]*r[n]+W[i+1]*r[2+n]+W[i+2]*r[4+n]; i+=3
        t=tot*.9562382616834844
        t=2.326765642916932*t-.020884521182843837*t*t+6.248496625763138e-05*t**3
        return 100-10*t**.6276336467831387 if t>0 else 100.
if __name__=='__main__':
    from PIL import Image; from io import BytesIO; import time
    for n in (1,4,19):
        f=f'SHARED/kodak/kodim{n:02d}.png'; im=np.asarray(Image.open(f).convert('RGB'))
        bio=BytesIO(); Image.fromarray(im).save(bio,'JPEG',quality=50)
        t=time.time(); want=lib.compute_ssimulacra2(f,bio); t1=time.time()-t
        r=Ref(im); d=np.asarray(Image.open(bio)); r.score(d); t=time.time(); got=r.score(d); print(n,want,got,t1,time.time()-t)
