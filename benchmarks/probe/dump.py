import sys,os; os.chdir('/tmp/k/kodak'); sys.path.insert(0,'/tmp/k/kodak')
import numpy as np, pickle
from study.data import sets
from study.measure import evaluation as ev
from msroi.images import read_pixels
from msroi.network import load_model
from msroi.saliency import saliency_map, energy_map
from pathlib import Path
m=load_model()
for name,scale,step in (('osie',.5,6),('ecssd',.75,8)):
    s=sets.load(name,'data/raw/'+name)
    items=list(s)[::step]; out=[]
    for it in items:
        im=ev.scaled(read_pixels(it.path,upright=s.upright),scale)
        tr=next(iter({n:ev.scaled(w,scale) for n,w in ev._truths(it,s.sigma).items()}.values()))
        out.append((it.name,im,saliency_map(im,m),saliency_map(im,m,prior='centre'),tr.astype(np.float32)))
    pickle.dump(out,open(f'/tmp/k/p/{name}.pkl','wb')); print(name,len(out),out[0][1].shape)
from PIL import Image
out={}
for n in range(1,25):
    im=np.asarray(Image.open(f'SHARED/kodak/kodim{n:02d}.png').convert('RGB'))
    out[n]=(saliency_map(im,m),saliency_map(im,m,prior='centre'))
pickle.dump(out,open('/tmp/k/p/kmaps.pkl','wb'))
