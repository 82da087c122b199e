"""What it takes to build a network, as those know it who need no torch."""

from dataclasses import dataclass
from typing import Literal, get_args, get_origin, get_type_hints

from msroi.errors import ArgumentError

STRIDE = 32  # pixels a side of a cell, since each side is halved five times
DEVICES = ("auto", "cpu", "cuda")
OWN_EVIDENCE = {"msroi": "positive", "cam": "signed"}  # CAM's as published


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What it takes to build a network; the last three concern the head ``msroi`` alone.

    ``backbone`` says which features: ``"paper"``, or ``"efficientnet-lite0"``, of which ``widths``
    and ``norm`` say nothing.
    """

    classes: tuple[str, ...]
    """Names of the C classes, in the order of the outputs."""
    head: Literal["msroi", "cam"] = "msroi"
    """The kind of head: Eq. 4–6, or CAM's Eq. 2–3."""
    backbone: Literal["paper", "efficientnet-lite0"] = "paper"
    """Which features: the paper's layers, or EfficientNet-Lite0's."""
    widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    """Features of each of the paper's five blocks; the default is VGG-13's."""
    norm: Literal["batch", "group", "none"] = "batch"
    """Between convolution and ReLU."""
    evidence: Literal["", "positive", "signed"] = ""
    """Sign of the weights of features for a class; empty is the head's own."""
    maps_per_class: int = 4
    """D of Eq. 4, 1 or more."""
    activation: Literal["relu", "softplus"] = "relu"
    """The non-linearity of those maps."""
    threshold: float = 16.0
    """T of Eq. 5 before training; evidence that cannot cancel adds up."""

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            given, allowed = getattr(self, name), sorted(get_args(kind), key=str)
            if get_origin(kind) is Literal and given not in allowed:
                raise ArgumentError(f"{name} is {given!r}; it must be one of {allowed}")
        if isinstance(self.classes, str) or not all(isinstance(name, str) for name in self.classes):
            raise ArgumentError("the classes of an architecture must be a tuple of names")
        if not self.classes or len(self.widths) != 5:
            raise ArgumentError("an architecture takes at least one class and exactly five widths")
        if min(*self.widths, self.maps_per_class) < 1:
            raise ArgumentError("every one of widths, and maps_per_class, must be 1 or more")

    @property
    def sign(self) -> str:
        """The evidence, "positive" or "signed", that the head's weights can give."""
        return self.evidence or OWN_EVIDENCE[self.head]
