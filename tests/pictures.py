"""Pictures, maps and image files for the tests: also kinds that Pillow does not write."""

import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

ORIENTATION = 0x0112


def photograph(height, width):
    """Slopes in colour under noise: uint8 [height, width, 3]."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(3).integers(0, 60, (height, width, 3))
    return (np.stack([x, 2 * y % 180, x + y], axis=2) % 190 + noise).astype(np.uint8)


def photo(rng, shape):
    """Soft shapes in colour with some grain: as compressible as a photograph."""
    H, W = shape
    y, x = np.mgrid[:H, :W]
    waves = [np.sin(x / a + y / b) for a, b in rng.uniform(3, 30, (6, 2))]
    mixed = np.stack(waves, -1) @ rng.uniform(-30, 30, (6, 3))
    return np.clip(128 + mixed + rng.normal(0, 4, (H, W, 3)), 0, 255).astype(np.uint8)


def centred(image):
    """A map without a network: brightest in the middle."""
    y, x = (np.linspace(-1, 1, side) for side in image.shape[:2])
    return np.exp(-2 * (y[:, None] ** 2 + x**2)).astype(np.float32)


def right_half(shape):
    """A map whose right half is salient."""
    saliency = np.zeros(shape, np.float32)
    saliency[:, shape[1] // 2 :] = 1
    return saliency


def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif_block(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = "Maker"
    return exif.tobytes()


def png_file(color_type, depth, rows, chunks=()):
    """A PNG of raw rows and more chunks (kind, data), for what Pillow does not write."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    samples = {0: 1, 2: 3, 4: 2, 6: 4}[color_type]
    width = len(rows[0]) * 8 // (depth * samples)
    header = struct.pack(">IIBBBBB", width, len(rows), depth, color_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    body = [(b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in body)


def save(tmp_path, image, name="image.png", **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


def bad_files(tmp_path):
    """Name → path and the words that its error must have."""
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.jpg").write_text("This is no picture.\n")
    (tmp_path / "empty.png").touch()
    (tmp_path / "postscript.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n{} loop\n%%EOF\n"
    )
    for kind in ("png", "jpg"):
        whole = save(tmp_path, Image.fromarray(rgb), f"whole.{kind}").read_bytes()
        (tmp_path / f"truncated.{kind}").write_bytes(whole[: len(whole) // 2])
    row = bytes(10_000 // 8)
    (tmp_path / "bomb.png").write_bytes(png_file(0, 1, [row] * 10_000))  # 100 MP: a warning
    (tmp_path / "big_bomb.png").write_bytes(png_file(0, 1, [row * 2] * 10_000))  # an error
    return {
        "missing.png": "no such file",
        "folder": "not a file",
        "text.jpg": "not an image",
        "postscript.png": "not an image",
        "empty.png": "empty",
        "truncated.png": "truncated",
        "truncated.jpg": "truncated",
        "bomb.png": "pixels",
        "big_bomb.png": "pixels",
    }
