"""The trained network, run by ONNX Runtime: from pixels to what each cell of an image shows.

A network is one ONNX file that `study.training.export` wrote: features, and one head on them or
both. Nothing here needs torch.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from PIL import Image

from msroi.architecture import DEVICES, STRIDE
from msroi.errors import ArgumentError, InputError
from msroi.images import check_rgb

RELEASED = Path(__file__).parent / "weights" / "released.onnx"  # both heads
SIDE_RATIOS = (Fraction(5, 7), Fraction(10, 7), Fraction(20, 7))  # 160, 320, 640 pixels for 224
LONGEST = 16  # times the short side: a longer image is seen smaller, to bound the memory
LARGEST_BYTES = 2**28  # of a file; ten times the largest network of the study
LARGEST_SIZE = 2048  # pixels a side that a file may say it was trained on, to bound the memory
METADATA_KEY = "msroi"  # of what a file says of its training, as JSON
NO_MEMORY = ("Failed to allocate memory", "bad_alloc")  # in what the runtime says then
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
HEADS = ("msroi", "cam")
SHARED = ("energy", "middle_energy", "middle_excess")  # outputs that no head decides


class NetworkError(InputError, ValueError):
    """A file that can't be read as a network of this package; the message names it."""


class Cells(NamedTuple):
    """What a network shows of images of one size, one value for a cell: float32."""

    maps: np.ndarray  # class maps M_c of the features [B, C, h, w]
    excess_maps: np.ndarray  # the same of what exceeds the features' mean over the image
    logits: np.ndarray  # Z_c − T_c, or CAM's before the softmax [B, C]
    energy: np.ndarray  # mean of the absolute features [B, h, w]
    middle_energy: np.ndarray  # mean of the absolute middle features [B, 2h, 2w]
    middle_excess: np.ndarray  # mean of what exceeds their mean over the image [B, 2h, 2w]


class Passes:
    """An ONNX session, and what it lately showed: several maps of one image look at it once."""

    KEPT = 3  # passes: an image at three short sides

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.session = session
        self._outputs = [output.name for output in session.get_outputs()]
        self._seen: deque[tuple[np.ndarray, dict[str, np.ndarray]]] = deque(maxlen=self.KEPT)

    def __call__(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Pixels float32 [B, 3, 32h, 32w] in [0, 1] → all outputs by name, not to be changed."""
        for before, shown in self._seen:
            if np.array_equal(before, pixels):
                return shown
        try:
            values = self.session.run(self._outputs, {"pixels": pixels})
        except Exception as error:  # the runtime's own errors have no common class
            if any(words in str(error) for words in NO_MEMORY):
                raise MemoryError from error
            raise
        shown = dict(zip(self._outputs, values, strict=True))
        self._seen.append((pixels, shown))
        return shown


class Network:
    """A network that is ready to look at images, by one of its heads.

    ``classes`` are the names of its C classes in the order of its outputs, ``head`` is ``"msroi"``
    or ``"cam"``. ``metadata`` is what the file says, ``trained`` what it says of this head's
    training: ``size``, the side in pixels of the images, is always there.
    """

    def __init__(
        self,
        run: Callable[[np.ndarray], Mapping[str, np.ndarray]],
        head: str,
        metadata: dict[str, Any],
    ) -> None:
        self.head, self.metadata = head, metadata
        self.trained: dict[str, Any] = metadata["trained"][head]
        self.classes: tuple[str, ...] = tuple(metadata["classes"])
        self._run = run
        self._views = [f"{head}_maps", f"{head}_excess_maps", f"{head}_logits", *SHARED]

    def __call__(self, pixels: np.ndarray) -> Cells:
        """Pixels float32 [B, 3, 32h, 32w] in [0, 1] → what their cells show."""
        shown = self._run(pixels)
        return Cells(*(shown[view] for view in self._views))

    def look(self, images: Sequence[np.ndarray], side: int) -> tuple[Cells, tuple[int, int]]:
        """Look at images of one size, scaled to a short side of so many pixels.

        The images are uint8 [H, W, 3]. They are filled up to whole cells of 32 pixels by
        replication; the second result is the height and width, in pixels, of what is theirs.
        """
        H, W = images[0].shape[:2]
        scale = side / max(min(H, W), max(H, W) / LONGEST)
        h, w = max(1, round(H * scale)), max(1, round(W * scale))
        small = np.stack([_resized(image, (h, w)) for image in images])
        missing = [(0, -length % STRIDE) for length in (h, w)]
        filled = np.pad(small, [(0, 0), *missing, (0, 0)], mode="edge")
        pixels = np.ascontiguousarray(filled.transpose(0, 3, 1, 2), np.float32) / np.float32(255)
        return self(pixels), (h, w)

    def natural_sides(self) -> tuple[int, int, int]:
        """Short sides that a map looks at: `SIDE_RATIOS` of the size it was trained on."""
        size = self.trained["size"]
        return tuple(max(STRIDE, round(size * ratio)) for ratio in SIDE_RATIOS)

    def top_classes(self, image: np.ndarray, *, k: int = 5) -> list[str]:
        """Name the k classes of largest evidence, most first, in an image uint8 [H, W, 3]."""
        check_rgb(image)
        logits = self.look([image], self.trained["size"])[0].logits[0]
        return [self.classes[index] for index in np.argsort(-logits, kind="stable")[:k]]


def load_model(
    path_or_name: str | Path = "released", head: str = "msroi", *, device: str = "cpu"
) -> Network:
    """Load a network.

    Parameters
    ----------
    path_or_name
        An ONNX file that training wrote, or ``"released"`` for the one inside the package.
    head
        ``"msroi"`` or ``"cam"``, where the file has both; one alone is taken as it is.
    device
        ``"cpu"``; ``"cuda"``, where onnxruntime-gpu is installed in onnxruntime's place; ``"auto"``
        for a GPU where there is one. On the CPU the same image has the same map to the bit.

    Returns
    -------
    Network

    Raises
    ------
    NetworkError
        The file is missing, too large, no ONNX file, of external data or weights that are no
        numbers, or of another make.
    ArgumentError
        There is no such head or device.
    """
    if head not in HEADS:
        raise ArgumentError(f"head is {head!r}; it must be one of {', '.join(HEADS)}")
    provider = _provider(device)
    path = _file(path_or_name)
    data = _read(path)
    if path_or_name != "released":
        _check(data, path)
    passes = _passes(data, path, provider)
    try:
        told = json.loads(passes.session.get_modelmeta().custom_metadata_map[METADATA_KEY])
        _check_told(told)
        has = [name for name in HEADS if name in told["trained"]]
        network = Network(passes, head if head in has else has[0], told)
        cells = network(np.full((1, 3, 2 * STRIDE, STRIDE), 0.5, np.float32))
        _check_shapes(cells, len(network.classes))
    except MemoryError:
        raise
    except Exception as error:  # whatever a foreign file's outputs and metadata lead to
        raise _foreign(path, error) from error
    if not all(np.isfinite(values).all() for values in cells):
        raise NetworkError(f"{path} has weights that are no finite numbers: train it anew")
    return network


def _check_told(told: Any) -> None:
    """Refuse metadata that are not as training writes them: the classes, and each head's size."""
    classes = told["classes"]
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise ValueError("its classes are no list of names")
    for head in told["trained"].values():
        size = head["size"]
        if type(size) is not int or not 1 <= size <= LARGEST_SIZE:
            raise ValueError(f"trained on {size!r} pixels a side")


def _check_shapes(cells: Cells, C: int) -> None:
    """Refuse what is not as `Cells` has it of one image of two cells by one."""
    maps, middle = (1, C, 2, 1), (1, 4, 2)
    for values, shape in zip(cells, (maps, maps, (1, C), (1, 2, 1), middle, middle), strict=True):
        if values.shape != shape or values.dtype != np.float32:
            raise ValueError(f"an output is of the shape {values.shape}, not {shape}")


def checksum(path_or_name: str | Path) -> str:
    """Give the SHA-256 of the file that `load_model` would read; NetworkError as there."""
    return sha256(_read(_file(path_or_name))).hexdigest()


def _file(path_or_name: str | Path) -> Path:
    path = RELEASED if path_or_name == "released" else Path(path_or_name)
    try:
        is_file = path.is_file()
    except OSError as error:  # the name is too long, or of a folder that may not be looked into
        raise NetworkError(f"{path} cannot be read ({error.strerror})") from error
    if not is_file:
        raise NetworkError(
            f"{path} is no file: name a network (.onnx) that `python -m study train` made, or none "
            "for the released one"
        )
    return path


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise NetworkError(
                f"{path} has {path.stat().st_size / 1e6:,.0f} MB, and no network of msroi has more "
                f"than {LARGEST_BYTES / 1e6:,.0f}: name another file"
            )
        return path.read_bytes()
    except OSError as error:
        raise NetworkError(f"{path} cannot be read ({error.strerror})") from error


def _check(data: bytes, path: Path) -> None:
    """Refuse a file of a user's that holds what a network of ours never has."""
    from msroi.tensors import is_external, is_finite, tensors

    try:
        weights = list(tensors(data))
        external = any(map(is_external, weights))
        finite = all(map(is_finite, weights))
    except Exception as error:  # what is raised depends on the file's bytes
        raise _foreign(path, error) from error
    if external:
        raise NetworkError(f"{path} keeps its weights in other files: name a whole one")
    if not finite:
        raise NetworkError(f"{path} has weights that are no finite numbers: train it anew")


@lru_cache(maxsize=4)
def _passes(data: bytes, path: Path, provider: str) -> Passes:
    """Open a file of these bytes; the heads of one file share what it shows."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised, and told in one line
    # Threads that wait sleep: spinning, they stand in the way of other processes' work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The threads that joblib or the user gives each process (of a list the first); 0: every core.
    threads = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    options.intra_op_num_threads = int(threads) if threads.isdecimal() else 0
    try:
        return Passes(onnxruntime.InferenceSession(data, options, providers=[provider]))
    except Exception as error:  # the runtime's own errors have no common class
        raise _foreign(path, error) from error


def _foreign(path: Path, error: Exception) -> NetworkError:
    said = str(error).strip() or type(error).__name__
    reason = said.splitlines()[0][:200]
    return NetworkError(
        f"{path} is not a network that msroi can read ({reason}); train one with "
        "`python -m study train`"
    )


def _provider(device: str) -> str:
    if device not in DEVICES:
        raise ArgumentError(f"device is {device!r}; it must be one of {', '.join(DEVICES)}")
    has_gpu = PROVIDERS["cuda"] in onnxruntime.get_available_providers()
    if device == "cuda" and not has_gpu:
        raise ArgumentError(
            "device is 'cuda', but this onnxruntime has no CUDA: install onnxruntime-gpu in its "
            "place, or say auto or cpu"
        )
    return PROVIDERS["cuda" if has_gpu and device != "cpu" else "cpu"]


def _resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))
