"""Reading any user's image into upright RGB pixels, and keeping its metadata."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from stat import S_ISREG

import numpy as np
from PIL import ExifTags, Image, ImageChops, ImageCms

from msroi.chatter import caught
from msroi.errors import ArgumentError, InputError

# The formats that are read. Others of Pillow's are left alone: EPS starts Ghostscript, whatever the
# file's name says, and runs the program that the file is.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
EXIF_HEADER = b"Exif\0\0"
ICC_HEADER = b"ICC_PROFILE\0"
MAX_SEGMENT_BYTES = 65533  # of a JPEG marker segment, beside its two bytes of length
ICC_CHUNK_BYTES = MAX_SEGMENT_BYTES - len(ICC_HEADER) - 2  # two bytes count the chunks
MAX_PROFILE_BYTES = 255 * ICC_CHUNK_BYTES

# EXIF orientation → what turns stored pixels upright; numpy turns anticlockwise
_TURNS = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
    8: lambda a: np.rot90(a, 1),
}
_INVERSE = {6: 8, 8: 6}  # the other turns undo themselves


class ImageError(InputError, ValueError):
    """A file is no image that can be used; the message names the file and says why."""


@dataclass(frozen=True)
class Picture:
    """An image as the user sees it, and what an output file must keep of its source."""

    pixels: np.ndarray  # uint8 [H, W, 3], RGB, upright: the EXIF orientation is applied
    icc_profile: bytes = b""  # the RGB profile that `pixels` are in; empty for sRGB or unknown
    exif: bytes = b""  # the source's block as it was, without the ``Exif`` header; empty for none
    orientation: int = 1  # 1 to 8: the tag inside `exif`, which a file that carries `exif` obeys


def read_image(path: str | Path) -> Picture:
    """Read an image file of one of the `FORMATS`, converted as its owner expects.

    Grey, palette and YCbCr become RGB; alpha is laid over white, with a warning; 16 bits
    are scaled to 8, not clipped. An RGB profile is kept, whereas pixels with a grey or
    CMYK profile are converted to sRGB. Of an animation the first frame is taken.
    EXIF is kept from formats that store it as one block (JPEG, PNG, WebP, AVIF), as long as
    it fits a JPEG.

    Raises
    ------
    ImageError
        Missing, a folder, empty, no image, damaged or truncated, floating-point, or of more
        pixels than Pillow's `MAX_IMAGE_PIXELS` allows (8705×8400 is well below).
    """
    with _open(path) as image:
        exif, stored, shown = _kept_exif(image)
        profile = image.info.get("icc_profile") or b""
        rgb, profile = _to_rgb(_over_white(_to_eight_bits(image)), profile)
        return Picture(turn_upright(np.array(rgb), shown), profile, exif, stored)


def read_pixels(path: str | Path, *, upright: str = "exif") -> np.ndarray:
    """`read_image`'s pixels alone, uint8 [H, W, 3].

    ``upright="stored"`` takes them as they lie in the file, for sets whose EXIF orientation lies.
    """
    picture = read_image(path)
    orientation = picture.orientation if upright == "stored" else 1
    return turn_back(picture.pixels, orientation)


def read_map(path: str | Path, shape: tuple[int, int]) -> np.ndarray:
    """Read a saliency map: an 8- or 16-bit grey image, black 0 and white 1, as float32 [H, W].

    ``shape`` is (H, W) of the upright image that the map belongs to. ImageError as `read_image`,
    and where the map is not grey or has another size.
    """
    with _open(path) as image:
        if image.mode not in ("1", "L", "I") and not image.mode.startswith("I;16"):
            raise ImageError(f"a map must be a grey image, and this one is {image.mode}")
        levels = np.array(image.convert("L") if image.mode == "1" else image)
        if levels.shape != tuple(shape):
            (H, W), (height, width) = levels.shape, shape
            raise ImageError(f"the map is {W}×{H} pixels, but its image is {width}×{height}")
        if levels.min() < 0 or levels.max() > 65535:
            raise ImageError("a map has 8 or 16 bits, and this one has larger values; save it so")
    white = 255 if levels.dtype == np.uint8 else 65535
    return levels.astype(np.float32) / np.float32(white)


def decode(data: bytes) -> np.ndarray:
    """Decode a JPEG as an off-the-shelf decoder does: uint8 RGB [H, W, 3]."""
    with Image.open(BytesIO(data), formats=["JPEG"]) as image:
        return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def png(pixels: np.ndarray) -> bytes:
    """Encode uint8 [H, W] (grey) or [H, W, 3] (RGB) as a PNG file."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def check_rgb(image: np.ndarray) -> None:
    """Refuse what is not uint8 [H, W, 3] (ArgumentError)."""
    if not isinstance(image, np.ndarray):
        raise ArgumentError(
            f"an image must be an array uint8 [H, W, 3], not {type(image).__name__}"
        )
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        given = f"{image.dtype} {list(image.shape)}"
        raise ArgumentError(f"an image must be uint8 [H, W, 3], not {given}")


def check_map(saliency: np.ndarray) -> None:
    """Refuse values that are not from 0 to 1, NaN among them (ArgumentError)."""
    if not (saliency.min() >= 0 and saliency.max() <= 1):  # false for NaN too
        raise ArgumentError("a map must hold finite values from 0 to 1")


def luma(image: np.ndarray) -> np.ndarray:
    """BT.601 luma as JPEG has it (full range): uint8 [H, W, 3] → uint8 [H, W].

    Pillow's ``convert("YCbCr")``, which rounds down: a grey of 144 may have a luma of 143.
    """
    return np.array(Image.fromarray(image).convert("YCbCr").getchannel(0))


def overlay(image: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    """Show a map, float [H, W], on its image: in colour where it is 1, dark grey where it is 0.

    The image and the result are uint8 [H, W, 3].
    """
    dark = 0.35 * luma(image)[..., None].astype(np.float32)
    weight = saliency[..., None].astype(np.float32)
    return np.rint(weight * image + (1 - weight) * dark).astype(np.uint8)


def turn_upright(stored: np.ndarray, orientation: int) -> np.ndarray:
    """Turn pixels [H, W, …] stored with an EXIF orientation 1 to 8 upright, without loss."""
    return np.ascontiguousarray(_TURNS[orientation](stored))


def turn_back(upright: np.ndarray, orientation: int) -> np.ndarray:
    """Turn upright pixels, or a map, back to the stored orientation: undoes `turn_upright`."""
    return turn_upright(upright, _INVERSE.get(orientation, orientation))


def metadata_segments(picture: Picture) -> bytes:
    """EXIF (APP1) and ICC profile (APP2, in chunks) of `picture` as JPEG marker segments."""
    segments = b""
    if picture.exif:
        segments += _segment(0xE1, EXIF_HEADER + picture.exif)
    starts = range(0, len(picture.icc_profile), ICC_CHUNK_BYTES)
    for number, start in enumerate(starts, 1):
        chunk = picture.icc_profile[start : start + ICC_CHUNK_BYTES]
        segments += _segment(0xE2, ICC_HEADER + bytes([number, len(starts)]) + chunk)
    return segments


def insert_segments(jpeg: bytes, segments: bytes) -> bytes:
    """Put marker segments into a JPEG file, behind its JFIF header."""
    head = 2  # the start-of-image marker
    if jpeg[2:4] == b"\xff\xe0":
        head += 2 + int.from_bytes(jpeg[4:6], "big")
    return jpeg[:head] + segments + jpeg[head:]


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


@contextmanager
def _open(path: str | Path) -> Iterator[Image.Image]:
    """A loaded Pillow image; whatever goes wrong with the file is an ImageError."""
    path = Path(path)
    try:
        _check_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(path, formats=FORMATS)
        with image:
            _load(image)
            yield image
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
    except MemoryError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        limit = Image.MAX_IMAGE_PIXELS
        raise ImageError(f"{path}: has more than {limit} pixels; scale it down first") from error
    except Image.UnidentifiedImageError as error:
        known = ", ".join(FORMATS)
        raise ImageError(f"{path}: is not an image of a known format ({known})") from error
    except Exception as error:  # a damaged file: Pillow's readers raise whatever they meet
        if "out of memory" in str(error):
            raise MemoryError from error
        raise ImageError(f"{path}: cannot be read, damaged or truncated ({error})") from error


def _check_file(path: Path) -> None:
    try:
        told = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageError("there is no such file") from error
    except OSError as error:  # of the name or the folders, as is told
        raise ImageError(f"cannot be read ({error.strerror})") from error
    if not S_ISREG(told.st_mode):
        raise ImageError("is not a file")
    if told.st_size == 0:
        raise ImageError("the file is empty")


def _load(image: Image.Image) -> None:
    """Read the pixels; what libtiff says of them by itself is a warning."""
    if image.format == "TIFF":
        with caught() as said:
            image.load()
        if said:
            warnings.warn(f"damaged in part, as libtiff says ({said[0]})", stacklevel=5)
    else:
        image.load()
    for name in ("exif", "icc_profile", "transparency"):
        if isinstance(image.info.get(name), str):  # a PNG's text of that name, and no such block
            del image.info[name]
    if "exif" in getattr(image, "text", ()):  # which Pillow gives as bytes
        exif = image.info.get("exif", b"").removeprefix(EXIF_HEADER)
        if exif[:2] not in (b"II", b"MM"):
            image.info.pop("exif", None)


def _kept_exif(image: Image.Image) -> tuple[bytes, int, int]:
    """EXIF block to keep, orientation it tells, orientation that Pillow's pixels have.

    The two differ where the tag is in XMP only, or in an EXIF block that is left out.
    """
    exif = image.info.get("exif", b"").removeprefix(EXIF_HEADER)
    tags = Image.Exif()
    try:
        shown = _orientation(image.getexif())
        tags.load(exif)
    except Exception:  # as in `_open`; the pixels are sound, so they are used
        warnings.warn("a damaged EXIF block is left out", stacklevel=4)
        return b"", 1, 1
    if len(EXIF_HEADER + exif) > MAX_SEGMENT_BYTES:
        warnings.warn("an EXIF block over 64 KB fits no JPEG and is left out", stacklevel=4)
        return b"", 1, shown
    return exif, _orientation(tags), shown


def _orientation(tags: Image.Exif) -> int:
    orientation = tags.get(ExifTags.Base.Orientation)
    return orientation if orientation in _TURNS else 1


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits, 65535 to 255; Pillow would clip. RGB is scaled on reading.

    The colour that a PNG says is transparent becomes alpha in grey, and is scaled in RGB.
    """
    clear = image.info.get("transparency")
    if image.mode == "F":
        raise ImageError("floating-point pixels have no known range; save it with 8 or 16 bits")
    if image.mode == "RGB" and isinstance(clear, tuple) and max(clear) > 255:
        image.info["transparency"] = tuple(value >> 8 for value in clear)
    if not image.mode.startswith("I"):
        return image
    grey = np.array(image)
    if grey.min() < 0 or grey.max() > 65535:
        raise ImageError("has pixels of more than 16 bits; save it with 8 or 16 bits")
    scaled = Image.fromarray(np.rint(grey / 257).astype(np.uint8))
    if isinstance(clear, int):
        scaled.putalpha(Image.fromarray(np.where(grey == clear, 0, 255).astype(np.uint8)))
    return scaled


def _over_white(image: Image.Image) -> Image.Image:
    """Lay an image that has transparent pixels over white."""
    if not image.has_transparency_data:
        return image
    rgba = image.convert("RGBA")
    if rgba.getchannel("A").getextrema()[0] < 255:
        warnings.warn("JPEG has no transparency: the image is laid over white", stacklevel=4)
    white = Image.new("RGBA", rgba.size, "white")
    opaque = Image.alpha_composite(white, rgba).convert("RGB")
    return opaque.convert("L") if image.mode in ("L", "LA") else opaque


def _to_rgb(image: Image.Image, profile: bytes) -> tuple[Image.Image, bytes]:
    """RGB pixels and the RGB profile they are in (empty: sRGB).

    Grey pixels are brought to sRGB, since a JPEG of one component must carry no RGB profile.
    """
    space = profile[16:20]  # ICC.1, 7.2.8: the data colour space
    if space == b"RGB " and image.mode != "CMYK":
        rgb = image.convert("RGB")
        if _is_grey(rgb):
            return _grey_to_srgb(rgb, profile), b""
        if len(profile) > MAX_PROFILE_BYTES:
            warnings.warn("an ICC profile over 16 MB fits no JPEG: it is applied", stacklevel=4)
            return _to_srgb(rgb, profile), b""
        return rgb, profile
    if (space, image.mode) in [(b"GRAY", "L"), (b"CMYK", "CMYK")]:
        return _to_srgb(image, profile), b""
    if profile:
        warnings.warn("an ICC profile that is not of the image's kind is left out", stacklevel=4)
    return image.convert("RGB"), b""


def _is_grey(rgb: Image.Image) -> bool:
    red, green, blue = rgb.split()
    return not any(ImageChops.difference(red, other).getbbox() for other in (green, blue))


def _grey_to_srgb(rgb: Image.Image, profile: bytes) -> Image.Image:
    """Bring grey pixels to sRGB by what becomes of each grey, so that they stay grey."""
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None]).convert("RGB")
    levels = np.array(_to_srgb(ramp, profile))[0, :, 1]
    return rgb.getchannel(1).point(levels.tolist()).convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, BytesIO(profile), srgb, outputMode="RGB")
    except ImageCms.PyCMSError:
        warnings.warn("a damaged ICC profile is left out", stacklevel=5)
        return image.convert("RGB")
