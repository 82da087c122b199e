"""Damaged files and strange names, made from sound ones by a random generator."""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from itertools import product

import numpy as np
from pictures import exif_block, photograph, srgb_profile
from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"
BLOCK = 512  # bytes of a tar header
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
# What a file's name may hold: letters, what a shell, a terminal or a text would obey, no text
LETTERS = ("a", "Z", "é", "字", "🙂", " ", ".", "-", "--help", "%s", "{}", "*", "?", "$HOME")
LETTERS += ("\n", "\r", "\t", "\x1b[2J", "\x07", "\u202e", "\u2028", "\\", '"', "'", "=", ";")
LETTERS += ("#", "~", "\udcff")
HOSTILE = ("../out", "/tmp/msroi-out", "C:\\out", "a/../../out", "a//b", ".", "", "a/./b", "é" * 90)


def images() -> dict[str, bytes]:
    """Small photographs as files of every kind and mode that `msroi` reads, by a name."""
    pixels = {mode: Image.fromarray(photograph(40, 56)).convert(mode) for mode in Image.MODES}
    clear = pixels["RGB"].copy()
    clear.putalpha(pixels["L"])
    deep = Image.fromarray(np.arange(40 * 56, dtype=np.uint16).reshape(40, 56) * 29)
    told = {"exif": exif_block(6), "icc_profile": srgb_profile()}
    kinds = {
        "grey.png": (pixels["L"], {}),
        "colour.png": (pixels["RGB"], told),
        "palette.png": (pixels["P"], {"transparency": 3}),
        "bits.png": (pixels["1"], {}),
        "clear.png": (clear, {}),
        "deep.png": (deep, {}),
        "colour.jpg": (pixels["RGB"], told),
        "progressive.jpg": (pixels["YCbCr"], {"progressive": True, "quality": 90}),
        "grey.jpg": (pixels["L"], {"restart_marker_blocks": 2}),
        "ink.jpg": (pixels["CMYK"], {}),
        "plain.tif": (pixels["RGB"], told),
        "lzw.tif": (pixels["RGB"], {"compression": "tiff_lzw"}),
        "deflated.tif": (clear, {"compression": "tiff_adobe_deflate"}),
        "jpeg.tif": (pixels["RGB"], {"compression": "jpeg"}),
        "deep.tif": (deep, {}),
        "ink.tif": (pixels["CMYK"], {}),
        "lossy.webp": (pixels["RGB"], told),
        "lossless.webp": (clear, {"lossless": True}),
        "moving.gif": (pixels["P"], {"save_all": True, "append_images": [pixels["L"]]}),
        "colour.bmp": (pixels["RGB"], {}),
        "palette.bmp": (pixels["P"], {}),
        "colour.ppm": (pixels["RGB"], {}),
        "colour.jp2": (pixels["RGB"], {}),
        "colour.avif": (pixels["RGB"], told),
    }
    return {name: _saved(image, name, **options) for name, (image, options) in kinds.items()}


def archives() -> dict[str, bytes]:
    """Image sets of three files in archives of every kind that is unpacked, by a name."""
    files = {f"set/{name}.png": images()[f"{name}.png"] for name in ("grey", "colour", "bits")}
    tars = {"set.tar": "w", "set.tar.gz": "w:gz", "set.tar.xz": "w:xz", "set.tar.bz2": "w:bz2"}
    kinds = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    return {name: _tar(files, mode) for name, mode in tars.items()} | {
        f"{kind}.zip": _zip(files, kind) for kind in kinds
    }


def mutant(data: bytes, rng: np.random.Generator, others: Sequence[bytes]) -> bytes:
    """Change bytes at one to eight places, seldom none; PNG and tar get true checksums again.

    Those are what would hide all else that is wrong. Bytes may also come from ``others``.
    """
    for _ in range(rng.integers(9)):
        data = CHANGES[rng.integers(len(CHANGES))](data, rng, others)
    if rng.random() < 0.7:
        data = _true_png(data) if data.startswith(PNG) else _true_tar(data)
    return data


def hostile(rng: np.random.Generator) -> bytes:
    """An archive with members of strange names and kinds, in turn damaged half of the time."""
    files = {name(rng): bytes(rng.integers(2000)) for _ in range(3)}
    files[HOSTILE[rng.integers(len(HOSTILE))]] = b"out"
    if rng.random() < 0.5:
        files = {each.encode("utf-8", "replace").decode(): data for each, data in files.items()}
        data = _zip(files, zipfile.ZIP_DEFLATED)
    else:
        kinds = [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE]
        data = _tar(files, ("w", "w:gz")[rng.integers(2)], kinds[rng.integers(len(kinds))])
    return data if rng.random() < 0.5 else mutant(data, rng, [data])


def name(rng: np.random.Generator) -> str:
    """A file's name, of one to thirty letters of any kind, seldom too long; never with a /."""
    letters = [LETTERS[place] for place in rng.integers(len(LETTERS), size=rng.integers(1, 30))]
    return "".join(letters) * (40 if rng.random() < 0.02 else 1)


def _saved(image: Image.Image, name: str, **options) -> bytes:
    file = io.BytesIO()
    Image.init()
    image.save(file, Image.registered_extensions()[f".{name.split('.')[1]}"], **options)
    return file.getvalue()


def _zip(files: dict[str, bytes], kind: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path or "."), data, kind)
    return file.getvalue()


def _tar(files: dict[str, bytes], mode: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.type, member.size, member.linkname = kind, len(data), "../out"
            archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


def _flip(data, rng, others):
    place = rng.integers(len(data) + 1)
    byte = data[place : place + 1]
    return data[:place] + bytes(each ^ 1 << rng.integers(8) for each in byte) + data[place + 1 :]


def _extreme(data, rng, others):
    """Write a number of one, two or four bytes, either end first, over what is there."""
    size, order = 2 ** int(rng.integers(3)), ("big", "little")[rng.integers(2)]
    number = EXTREMES[rng.integers(len(EXTREMES))] % 256**size
    place = rng.integers(len(data) + 1)
    return data[:place] + number.to_bytes(size, order) + data[place + size :]


def _of_the_head(data, rng, others):
    """Change the first 64 bytes, where sizes and kinds are told."""
    return _extreme(data[:64], rng, others)[:64] + data[64:]


def _cut(data, rng, others):
    return data[: rng.integers(len(data) + 1)] if rng.random() < 0.3 else data


def _drop(data, rng, others):
    start, length = rng.integers(len(data) + 1), rng.integers(64)
    return data[:start] + data[start + length :]


def _double(data, rng, others):
    start, length = rng.integers(len(data) + 1), rng.integers(256)
    return data[: start + length] + data[start:]


def _noise(data, rng, others):
    place, length = rng.integers(len(data) + 1), rng.integers(32)
    return data[:place] + rng.bytes(length) + data[place + length :]


def _splice(data, rng, others):
    """Put a piece of another file in."""
    other = others[rng.integers(len(others))]
    start, place = rng.integers(len(other) + 1), rng.integers(len(data) + 1)
    return data[:place] + other[start : start + rng.integers(1024)] + data[place:]


CHANGES = (_flip, _extreme, _of_the_head, _cut, _drop, _double, _noise, _splice)


def _true_png(data: bytes) -> bytes:
    """Write the checksums of all chunks anew, as far as they can be told apart."""
    start, found = len(PNG), [PNG]
    while start + 12 <= len(data):
        length = int.from_bytes(data[start : start + 4])
        body = data[start + 4 : start + 8 + length]
        found.append(data[start : start + 4] + body + zlib.crc32(body).to_bytes(4))
        start += 12 + length
    return b"".join(found)


def _true_tar(data: bytes) -> bytes:
    """Write the checksums of all headers of a plain tar file anew."""
    found = bytearray(data)
    for start, end in product(range(0, len(data), BLOCK), (257,)):
        header = found[start : start + BLOCK]
        if header[end : end + 5] == b"ustar":
            header[148:156] = b" " * 8
            found[start + 148 : start + 156] = f"{sum(header):06o}\0 ".encode()
    return bytes(found)
