"""Whatever decoders are at hand, and whether they agree with Pillow on a file.

Luma is compared, as each has it from the file: decoders differ in how they spread chroma over
pixels, and in nothing else that they should.
"""

import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO

import numpy as np
import simplejpeg
from PIL import Image

from msroi.images import decode

# Levels of 255: two exact inverse transforms each round by one at most
LUMA_TOLERANCE = 2

Decoder = Callable[[bytes], tuple[np.ndarray, np.ndarray]]  # RGB [H, W, 3] and luma [H, W], uint8


def _pillow(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    grey = Image.open(BytesIO(data))
    grey.draft("L", grey.size)  # luma as it is in the file
    return decode(data), np.asarray(grey.convert("L"))


def _simplejpeg(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    return simplejpeg.decode_jpeg(data), simplejpeg.decode_jpeg(data, "GRAY")[..., 0]


def _djpeg(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    return _piped(["djpeg", "-ppm"], data), _piped(["djpeg", "-grayscale", "-ppm"], data)


def _ffmpeg(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    read = ["ffmpeg", "-v", "error", "-f", "jpeg_pipe", "-i", "-", "-f", "image2pipe"]
    return (
        _piped([*read, "-c:v", "ppm", "-pix_fmt", "rgb24", "-"], data),
        _piped([*read, "-vf", "extractplanes=y", "-c:v", "pgm", "-pix_fmt", "gray", "-"], data),
    )


def _piped(command: list[str], data: bytes) -> np.ndarray:
    """What a program makes of a file on its standard input: a PPM or PGM picture."""
    done = subprocess.run(command, input=data, capture_output=True, check=True)
    if done.stderr:
        raise ValueError(f"{command[0]}: {done.stderr.decode().strip()}")
    return np.asarray(Image.open(BytesIO(done.stdout)))


def at_hand() -> dict[str, Decoder]:
    """Pillow and simplejpeg, and of djpeg and ffmpeg what is installed."""
    found = {name: decoder for name, decoder in _PROGRAMS.items() if shutil.which(name)}
    return {"Pillow": _pillow, "simplejpeg": _simplejpeg, **found}


def disagreements(data: bytes, shape: tuple[int, ...]) -> dict[str, float]:
    """The largest difference of a decoder's luma from Pillow's, in levels; inf where sizes differ.

    A decoder that cannot open the file raises.
    """
    expected = _pillow(data)[1].astype(int)
    found = {}
    for name, decoder in at_hand().items():
        pixels, luma = decoder(data)
        equal = pixels.shape == shape and luma.shape == shape[:2]
        found[name] = float(np.abs(luma - expected).max()) if equal else np.inf
    return found


_PROGRAMS = {"djpeg": _djpeg, "ffmpeg": _ffmpeg}
