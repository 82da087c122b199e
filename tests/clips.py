"""Small clips for the tests, written by PyAV: a picture that is panned over, and a tone."""

from fractions import Fraction
from pathlib import Path

import numpy as np
from pictures import photo

RATE = 25  # frames a second
TIME = Fraction(1, 1000)
COUNT = 12  # frames
SIZE = H, W = 96, 128  # x264 gives other bytes each time for some smaller ones


def pan(size=SIZE, count=COUNT, seed=0):
    """A window that moves over a picture, frame by frame: uint8 [H, W, 3]."""
    height, width = size
    picture = photo(np.random.default_rng(seed), (height + count, width + 2 * count))
    return [picture[i : i + height, 2 * i : 2 * i + width] for i in range(count)]


def clip(
    path,
    frames,
    *,
    codec="libx264",
    pixels="yuv420p",
    times=None,
    sound="aac",
    options=None,
    streams=1,
    container=None,
    **context,
):
    """Write a video file of frames uint8 [H, W, 3] and half a second of a tone, and name it."""
    import av

    with av.open(str(path), "w", options=container or {}) as file:
        videos = [file.add_stream(codec, rate=RATE, options=options) for _ in range(streams)]
        tone = file.add_stream(sound, rate=48000, bit_rate=128000) if sound else None
        for video in videos:
            video.height, video.width = frames[0].shape[:2]
            video.pix_fmt, video.codec_context.time_base = pixels, TIME
            for name, value in context.items():
                setattr(video.codec_context, name, value)
        for number, own in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(own), format="rgb24")
            frame.pts = times[number] if times else 1000 * number // RATE
            frame.time_base = TIME
            for video in videos:
                file.mux(video.encode(frame))
        for video in videos:
            file.mux(video.encode(None))
        if tone:
            file.mux(tone.encode(hum()))
            file.mux(tone.encode(None))
    return Path(path)


def decoded(path):
    """The frames of a file's first video stream."""
    import av

    with av.open(str(path)) as file:
        return list(file.decode(video=0))


def packets(path, kind):
    """What a file's first stream of a kind has: seconds from the file's begin, and bytes."""
    import av

    with av.open(str(path)) as file:
        stream = getattr(file.streams, kind)[0]
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in file.demux(stream)
            if packet.size
        ]


def psnr(frames, originals, region):
    """Of frames, in dB, on the green of a region of them."""
    shown = [frame.to_ndarray(format="rgb24")[region][..., 1] for frame in frames]
    meant = [own[region][..., 1] for own in originals]
    error = np.mean((np.array(shown, float) - np.array(meant, float)) ** 2)
    return 10 * np.log10(255**2 / error)


def hum():
    """Half a second of a tone."""
    import av

    wave = np.sin(np.arange(24000) * 0.05).astype(np.float32)
    tone = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
    tone.sample_rate, tone.pts = 48000, 0
    return tone
