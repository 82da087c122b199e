"""The map M̂ in [0, 1] of an image: a network's, or a control's that knows of no object.

Every map of the package and of the study is drawn here, the same to the bit in whatever process and
on however many threads.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from msroi.architecture import STRIDE
from msroi.errors import ArgumentError, InputError
from msroi.images import check_rgb

if TYPE_CHECKING:
    from msroi.network import Cells, Network

OWN = "MS-ROI"  # the map that encoders follow unless told otherwise, and that PSNR-S looks at
SELECTIONS, EVIDENCE, PRIORS = (
    ("expected", "threshold", "topk"),
    ("excess", "plain"),
    ("", "centre"),
)
# A place's evidence is a product over passes and layers. What a factor of 0 leaves of the others:
FLOOR = 0.02
# Sum of all factors' exponents, and that of a middle layer against 1 of the top one. Chosen on the
# shared parts of OSIE, MIT1003, ECSSD and COCO (data/README.md).
POWER, MIDDLE = 2.0, 0.5

SaliencyOf = Callable[[np.ndarray], np.ndarray]
Layers = tuple[np.ndarray, np.ndarray | None]  # of a pass: the top's cells, the middle's


class StaleMapError(InputError, RuntimeError):
    """A network's file that has changed under way; the message names it."""


def saliency_map(
    image: np.ndarray,
    model: "Network",
    *,
    select: str = "expected",
    k: int = 5,
    evidence: str = "excess",
    prior: str = "",
    short_sides: Sequence[int] = (),
) -> np.ndarray:
    """Draw the map of the semantic regions of an image.

    The network sees the whole image with its aspect ratio kept, once for each short side. In each
    pass the class maps are combined to one by ``select`` (Eq. 5). By ``evidence="excess"`` they are
    drawn from what exceeds the features' mean over the image, so that what is everywhere counts
    nowhere; the map is the product of all passes' maps and of the excess of the middle layer, which
    has four times as many cells. By ``"plain"`` they are drawn from the features as they are, and
    the map is the mean of the passes' maps.

    Deviation: the paper sees images of one size, and the authors' code stretches the centre
    square's map over the image, which misplaces it on every image that is not square. Here the
    network sees the whole image, and the maps of several short sides are combined.
    Deviation: in maps of the features as they are, what is everywhere in an image counts
    everywhere. Here they are of what exceeds the features' mean over the image, which finds true
    objects better (``"plain"`` has the paper's).

    Parameters
    ----------
    image
        uint8 [H, W, 3], RGB.
    model
        As `msroi.load_model` gives it.
    select
        How an MS-ROI head's classes are chosen: ``"expected"``, ``"threshold"`` or ``"topk"``, as
        `select_classes` has it; a CAM head always takes its most probable class.
    k
        Classes that ``topk`` takes.
    evidence
        ``"excess"`` or ``"plain"``.
    prior
        ``"centre"`` multiplies the map by `centre_prior`, which knows nothing of the image.
    short_sides
        Pixels of the image's shorter side as the network sees it, each at least 32. None given:
        `Network.natural_sides`.

    Returns
    -------
    float32 [H, W] in [0, 1]; its smallest value is 0 and its largest 1, or it is zero everywhere
    where no place has more evidence than another.

    Raises
    ------
    ArgumentError
        An argument is out of the ranges above.
    """
    return saliency_maps(
        [image],
        model,
        select=select,
        k=k,
        evidence=evidence,
        prior=prior,
        short_sides=short_sides,
    )[0]


def saliency_maps(
    images: Sequence[np.ndarray],
    model: "Network",
    *,
    select: str = "expected",
    k: int = 5,
    evidence: str = "excess",
    prior: str = "",
    short_sides: Sequence[int] = (),
) -> list[np.ndarray]:
    """Draw the maps of any number of images of one size in a batch, as `saliency_map` of one."""
    _check_rule(select, k, evidence, prior)
    choose = cam if model.head == "cam" else partial(select_classes, select=select, k=k)

    def layers(cells: "Cells", index: int) -> Layers:
        if evidence == "plain":
            return choose(cells.maps[index], cells.logits[index]), None
        chosen = choose(cells.excess_maps[index], cells.logits[index])
        return chosen, cells.middle_excess[index]

    drawn = _drawn(images, layers, model, short_sides)
    return [unit(own * centre_prior(own)) for own in drawn] if prior else drawn


def energy_map(
    image: np.ndarray,
    model: "Network",
    *,
    evidence: str = "excess",
    short_sides: Sequence[int] = (),
) -> np.ndarray:
    """Draw the mean absolute activation of the features: a control that chooses no class.

    Of the same layers and passes as `saliency_map`, combined as there by ``evidence``; nothing is
    taken from the activations but by ``"plain"`` the middle layer. Arguments, result and errors are
    those of `saliency_map`.
    """
    _check_rule("expected", 1, evidence, "")

    def layers(cells: "Cells", index: int) -> Layers:
        middle = None if evidence == "plain" else cells.middle_energy[index]
        return cells.energy[index], middle

    return _drawn([image], layers, model, short_sides)[0]


def select_classes(maps: np.ndarray, logits: np.ndarray, *, select: str, k: int) -> np.ndarray:
    """Combine the maps M_c = Σ_d f_d^c of MS-ROI's classes into one, by Eq. 5.

    Deviation: the paper has two rules, and both pick classes that are not there: Eq. 5's test, and
    the "top five" of its text. The third and usual one here, ``"expected"``, picks none.

    The maps M_c are float [C, h, w], the logits Z_c − T_c [C]; the result [h, w] is not yet scaled.

    Parameters
    ----------
    select
        ``"expected"``: Σ_c P(c) M_c, the sum of Eq. 5 with each class's probability in place of
        the test P(c) > ½. ``"threshold"``: the sum over classes with Z_c > T_c, as Eq. 5 is
        printed. ``"topk"``: the k classes of largest Z_c − T_c, weighted (k − rank) / k, rank from
        0 (the paper's "top five … weighted by their rank").
    k
        At least 1; more than C means all.
    """
    if select == "threshold":
        return maps[logits > 0].sum(0)
    if select == "expected":
        weights = 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
    else:
        weights = np.zeros_like(logits)
        best = np.argsort(-logits, kind="stable")[:k]
        weights[best] = np.arange(len(best), 0, -1) / len(best)
    return np.einsum("c,chw->hw", weights, maps)


def cam(maps: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Class activation map [h, w] of the most probable class (Eq. 2), its negative part cut."""
    return np.maximum(maps[logits.argmax()], 0)


def centre_prior(image: np.ndarray) -> np.ndarray:
    """Draw a Gaussian at the centre, σ a quarter of each side: a control that looks at nothing.

    Float32 [H, W] in [0, 1] for an image [H, W, 3].
    """
    y, x = (np.linspace(-2, 2, side, dtype=np.float32) for side in image.shape[:2])
    return np.exp(-(y[:, None] ** 2 + x**2) / 2)


def flat_map(image: np.ndarray) -> np.ndarray:
    """Draw one everywhere, float32 [H, W] for an image [H, W, 3]: the control at chance."""
    return np.ones(image.shape[:2], np.float32)


def named_maps(heads: Mapping[str, tuple[str | Path, str]], **rule: Any) -> dict[str, SaliencyOf]:
    """Name the maps of networks, MS-ROI's times a centre prior, and three controls.

    ``heads`` has the file and the head of each name, ``"MS-ROI"`` among them; the rule is of
    `saliency_map`. The controls are the energy, a centre prior and a flat map.
    """
    drawn = {name: network_map(file, head=head, **rule) for name, (file, head) in heads.items()}
    file, head = heads[OWN]
    shared = {key: rule[key] for key in ("evidence", "short_sides") if key in rule}
    return drawn | {
        f"{OWN} × centre": network_map(file, head=head, **rule | {"prior": "centre"}),
        "energy": network_map(file, head=head, draw=energy_map, **shared),
        "centre prior": centre_prior,
        "flat": flat_map,
    }


def network_map(
    file: str | Path = "released",
    head: str = "msroi",
    *,
    draw: Callable[..., np.ndarray] = saliency_map,
    **settings: Any,
) -> SaliencyOf:
    """Make a function from an image to its map by a network, which other processes can be sent.

    What is pickled is the file's path and checksum: each process loads the network once. File, head
    and errors are those of `msroi.load_model`; ``draw`` is `saliency_map` or `energy_map`, which
    takes the settings.
    """
    from msroi.network import checksum

    path = file if file == "released" else str(Path(file).absolute())
    found = checksum(path)
    _network(path, head, found)  # a file that is none is told now
    return partial(_map, draw=draw, file=path, head=head, checksum=found, **settings)


def unit(values: np.ndarray) -> np.ndarray:
    """Stretch a map [h, w] so that it goes from 0 to 1; one of equal values becomes 0.

    A floor under the whole of a map is no evidence of a place.
    """
    values = values - values.min()
    return (values / max(values.max(), np.finfo(np.float32).tiny)).astype(np.float32)


def _drawn(
    images: Sequence[np.ndarray],
    layers: Callable[["Cells", int], Layers],
    model: "Network",
    short_sides: Sequence[int],
) -> list[np.ndarray]:
    """Draw a map of each image: of its ``layers`` in each pass, combined."""
    if not images:
        return []
    sides = short_sides or model.natural_sides()
    _check_images(images, sides)
    passes = [(*model.look(images, side), side) for side in sides]
    size = images[0].shape[:2]
    largest = max(passes, key=lambda seen: seen[2])[1]
    return [
        _combined([(layers(cells, index), seen) for cells, seen, _ in passes], largest, size)
        for index in range(len(images))
    ]


def _combined(
    passes: Sequence[tuple[Layers, tuple[int, int]]],
    largest: tuple[int, int],
    size: tuple[int, int],
) -> np.ndarray:
    """Combine an image's passes, on a grid of half cells of the largest, into a map of ``size``.

    Each pass has its layers, and the height and width of the image in its pixels. Cells of the
    middle layer are half as large as those of the features.
    """
    grid = tuple(max(1, round(length / (STRIDE // 2))) for length in largest)
    factors = list(_factors(passes, grid, STRIDE))
    if any(middle is not None for (_, middle), _ in passes):
        total = sum(exponent for _, exponent in factors)
        logs = [np.log(own + FLOOR) * (POWER * exponent / total) for own, exponent in factors]
        whole = np.exp(sum(logs))
    else:
        whole = sum(own for own, _ in factors)
    return unit(_resized(unit(whole), size, box=(0, 0, *grid[::-1])))


def _factors(
    passes: Sequence[tuple[Layers, tuple[int, int]]], grid: tuple[int, int], stride: int
) -> Iterator[tuple[np.ndarray, float]]:
    """Give each layer of each pass on one grid, from 0 to 1, and its exponent."""
    for layers, (h, w) in passes:
        for cells, pixels, exponent in zip(layers, (stride, stride // 2), (1, MIDDLE), strict=True):
            if cells is not None:
                box = (0, 0, w / pixels, h / pixels)  # without what the image was filled up with
                yield unit(_resized(cells, grid, box=box)), exponent


def _resized(
    cells: np.ndarray, size: tuple[int, int], *, box: tuple[float, float, float, float]
) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(cells, np.float32))
    return np.maximum(picture.resize(size[::-1], Image.Resampling.BICUBIC, box=box), 0)


def _check_images(images: Sequence[np.ndarray], sides: Sequence[int]) -> None:
    for image in images:
        check_rgb(image)
    if 0 in images[0].shape:
        raise ArgumentError("an image must have a pixel at least")
    if min(sides) < STRIDE:
        raise ArgumentError(f"every short side must be at least {STRIDE} pixels")
    if len({image.shape for image in images}) != 1:
        raise ArgumentError("the images of a batch must be of one size")


def _check_rule(select: str, k: int, evidence: str, prior: str) -> None:
    choices = {
        "select": (select, SELECTIONS),
        "evidence": (evidence, EVIDENCE),
        "prior": (prior, PRIORS),
    }
    for name, (given, allowed) in choices.items():
        if given not in allowed:
            raise ArgumentError(
                f"{name} is {given!r}; it must be one of {', '.join(map(repr, allowed))}"
            )
    if k < 1:
        raise ArgumentError(f"k is {k}; topk takes one class at least")


def _map(
    image: np.ndarray, *, draw: Callable, file: str, head: str, checksum: str, **settings: Any
) -> np.ndarray:
    return draw(image, _network(file, head, checksum), **settings)


@cache
def _network(file: str, head: str, checksum: str) -> "Network":
    from msroi import network

    loaded = network.load_model(file, head=head)
    if network.checksum(file) != checksum:
        raise StaleMapError(f"{file} has changed since the work began: run it again")
    return loaded
