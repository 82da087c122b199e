"""Probe encoder: tune as a dict."""
import sys; sys.path.insert(0,'/tmp/wt/enc')
import numpy as np
from functools import partial
from msroi.encoder import jpeg, trellis, tables, coefficients as dct, huffman
from msroi.encoder.blocks import ZIGZAG, SIDE, SUBSAMPLINGS, block_saliency
from msroi.encoder.budget import approach, Start
from msroi.encoder.tables import geometric_mean as gm
ROB=np.array([16,16,16,18,25,37,56,85,16,17,20,27,34,40,53,75,16,20,24,31,43,62,91,135,18,27,31,40,53,74,106,156,25,34,43,53,69,94,131,189,37,40,62,74,94,124,169,238,56,53,91,106,131,169,226,311,85,75,135,156,189,238,311,418.])[ZIGZAG]
FREQ=np.hypot(*np.divmod(np.arange(64),8))[ZIGZAG]
BASES={'k':tables.ANNEX_K_LUMA,'kc':tables.ANNEX_K_CHROMA,'rob':ROB}
DEF=dict(lw=0.,cw=0.,y_f=.8,y_s=1.,y_dc=1.,y_w=.7,y_t=1.,cb_f=.8,cb_s=.45,cb_dc=1.,cb_w=.7,cb_t=1.,cr_f=.8,cr_s=.45,cr_dc=1.,cr_w=.7,cr_t=1.,mask=.0,cmask=0.,e0=20.,trade=.05,dark=0.,A=0.,p=2.,nu=1.,samp=(2,2),rank=0,cA=1.,lo=.6,hi=.8)
class Att:
    def __init__(s,lv,tb,pr,size,counts): s.levels,s.tables,s.prices,s.size_bytes,s.counts=lv,tb,pr,size,counts
def start_prices():
    from PIL import JpegImagePlugin
    return None

def analyse(im,t,sal=None,planes=None):
    planes=planes or dct.transform(im,t['samp'])
    out=[]
    down,across=t['samp']
    gl=None
    for n,pl in enumerate(planes):
        L=n==0; c=('y','cb','cr')[n]
        if L:
            b=tables.ANNEX_K_LUMA**(1-t['lw'])*ROB**t['lw']
        else:
            b=tables.ANNEX_K_CHROMA**(1-t['cw'])*ROB**t['cw']
        g=gm(b)
        base=(b/g)**t[c+'_f']*g*t[c+'_s']
        base[0]*=t[c+'_dc']
        w=((g/b)**(2*t[c+'_w'])).astype(np.float32)
        ac=pl[...,1:]
        E=np.einsum('ijk,ijk,k->ij',ac,ac,w[1:])/64
        m=(1+E/t['e0'])**np.float32(t['mask' if L else 'cmask'])
        if L: dark=(np.maximum(pl[...,0]/8+128,0)+32)/160
        lam=m*np.float32(t['trade']*t[c+'_t']*gm(base)**2)
        if t['dark']: lam=lam*((dark if L else dark[::down,::across])**t['dark']).astype(np.float32)
        g=np.zeros(pl.shape[:2],np.float32)
        if t.get('add') and sal is not None:
            from msroi.encoder.importance import importance as _
            cell=(SIDE,SIDE) if L else (SIDE*down,SIDE*across)
            q=block_saliency(sal,cell).astype(np.float64)
            if L: order=np.sort(q.ravel())
            q=(np.searchsorted(order,q,'left')+np.searchsorted(order,q,'right'))/2/order.size
            z=np.clip((q-t['lo'])/(t['hi']-t['lo']),0,1); u=z*z*(3-2*z)
            if L: ub=u.mean()
            g=t['add']*np.maximum(u-ub,0)*(1. if L else t['cA'])
            if L: U=np.sqrt(((1+g)**2).mean())
            g=(m*g/U).astype(np.float32); w=(w/U).astype(np.float32)
        elif t['A'] and sal is not None:
            cell=(SIDE,SIDE) if L else (SIDE*down,SIDE*across)
            q=block_saliency(sal,cell).astype(np.float64)
            if t['rank']:
                if L: order=np.sort(q.ravel())
                q=(np.searchsorted(order,q,'left')+np.searchsorted(order,q,'right'))/2/order.size
            if t['rank']==2:
                z=np.clip((q-t['lo'])/(t['hi']-t['lo']),0,1); q=z*z*(3-2*z)
            else: q=q**t['p']
            if L: mean=q.mean()
            r=q/mean if mean>0 else np.ones_like(q)
            if L:
                x=1+t['A']*r; nu=t['nu']
                N=np.exp(np.log(x).mean()) if nu==0 else (x**nu).mean()**(1/nu)
            lam=lam*((N/(1+t['A']*r))**(1. if L else t['cA'])).astype(np.float32)
        out.append((pl,lam.astype(np.float32).ravel(),base,w,g.ravel()))
    return out
def quant(comps,t,frame,scale,thrift,before):
    used=[tables.at_scale(c[2],scale) for c in comps]
    mult=thrift*scale**2
    def go(prices,mu):
        lv=[]
        for (pl,lam,base,w,g),q,p in zip(comps,used,prices):
            o=np.empty(pl.shape,np.int16)
            trellis.quantize(pl.reshape(-1,64),q.astype(np.float32),w,g,np.float32(mu)*lam,p,o.reshape(-1,64)); lv.append(o)
        c=jpeg.count(lv,frame.sampling)
        pr=[huffman.prices(c[1])]+([huffman.prices(c[3])]*2 if len(lv)==3 else [])
        return lv,c,pr
    if before: prices=before.prices
    else:
        prices=[np.zeros(256,np.float32)]*len(comps)
        for mu in (0.,mult): _,_,prices=go(prices,mu)
    lv,c,pr=go(prices,mult)
    return Att(lv,used,pr,jpeg.size_bytes(c,used,frame),c)
def encode(im,t,budget,sal=None,quality=50,planes=None):
    fr=jpeg.Frame(im.shape[:2],t['samp'])
    comps=analyse(im,t,sal,planes)
    wr=lambda a: jpeg.make_progressive(jpeg.write(a.levels,a.counts,a.tables,fr))
    e=approach(partial(quant,comps,t,fr),wr,budget,(.005,50.),Start(.6*tables.scale_of(quality)))
    return e.data,e.quality
