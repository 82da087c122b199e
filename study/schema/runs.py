"""The sections of what is measured: methods, and runs of them on images and videos."""

from typing import Annotated, Literal

from pydantic import Field

from msroi.encoder import METHODS
from msroi.encoder.blocks import SUBSAMPLINGS
from msroi.encoder.tables import TUNES
from msroi.saliency import OWN
from msroi.video.writing import ENCODERS, PRESETS
from study.codecs import METHODS as OTHER_METHODS
from study.schema.kinds import OMITTED, Heads, Quality, Section, Text

# All that `msroi.saliency.named_maps` draws, and the truth of `study.measure.evaluation`
MAPS = (OWN, "CAM", f"{OWN} × centre", "energy", "centre prior", "flat", "truth")


class Method(Section):
    """A row of the table: an encoder of `msroi.encode`, or of another codec, and its options."""

    method: Literal[(*METHODS, *OTHER_METHODS)] = OMITTED
    """The encoder, where it is another than the row is named after."""
    map: Literal[MAPS] = OWN
    """The map that it follows; truth is where people looked, or the true objects."""
    budget: Annotated[float, Field(gt=0, le=100)] = 1.0
    """What the bytes of the standard JPEG are multiplied by."""
    quality: Annotated[float, Field(ge=1, le=100)] = OMITTED
    """Of other codecs: that of the plain file whose bytes are the budget, on the codec's own scale
    (CRF of x264 and x265, 51 at most, where less is better; decibels of jpeg2000); the run's, where
    it is left out."""
    strength: Annotated[float, Field(ge=0, le=100)] = 3.0
    """Of direct: how much the map weighs; 0 is a flat map."""
    tune: Literal[tuple(TUNES)] = "balanced"
    """Of direct: the metric that it is tuned for."""
    subsampling: Literal[tuple(SUBSAMPLINGS)] = "4:2:0"
    """Of direct: the chroma's."""
    progressive: bool = True
    """Of direct: false is a baseline JPEG."""
    levels: Annotated[int, Field(ge=2, le=100)] = 5
    """Of mosaic: k, the levels of the map."""
    q_low: Quality = 30
    """Of mosaic: JPEG quality of the lowest level."""
    q_high: Quality = 70
    """Of mosaic: JPEG quality of the highest level, q_low or more."""
    split: Literal["even", "quantiles"] = "even"
    """Of mosaic: where levels meet: at n/k, or so that each has about as many blocks."""
    untouched: Annotated[int, Field(ge=0, le=100)] = 0
    """Of mosaic: so many upper levels keep the blocks of the image itself."""


class Run(Section):
    set: Text
    """The image set, one that the study fetches."""
    heads: Heads
    """The heads that draw its maps."""
    methods: Text
    """The set of methods, one of evaluate.methods."""
    images: Annotated[list[Text], Field(min_length=1)] = OMITTED
    """Those of the set that are taken; all, where it is left out."""
    qualities: Annotated[list[Quality], Field(min_length=1)] = OMITTED
    """Of the standard JPEGs whose bytes are the budgets, where others than evaluate.quality; of
    other codecs' plain files, where a method says none."""
    scale: Annotated[float, Field(gt=0, le=1)] = 1
    """What the images' sides are multiplied by."""


class Clips(Section):
    codec: Literal[tuple(ENCODERS)]
    """The encoder of the videos."""
    preset: Literal[PRESETS] = "medium"
    """The encoder's: slower ones take fewer bytes."""
    crf: Annotated[float, Field(ge=1, le=50)]
    """Of the plain encode, whose bytes are the budget."""
    heads: Heads
    """The heads that draw the maps."""
    count: Annotated[int, Field(ge=2)]
    """Clips that are rendered."""
    frames: Annotated[int, Field(ge=2)]
    """Of each."""


class Recognition(Section):
    set: Text
    """The image set, one that the study fetches."""
    heads: Heads
    """The heads that draw its maps."""
    methods: Text
    """The set of methods, one of evaluate.methods, all of them of JPEG."""
    qualities: Annotated[list[Quality], Field(min_length=1)]
    """Of the standard JPEGs whose bytes are the budgets."""
    classifier: Text
    """The .pth file of EfficientNet-Lite2, which names the images."""
    scale: Annotated[float, Field(gt=0, le=1)] = 1
    """What the images' sides are multiplied by."""


class Evaluate(Section):
    quality: Quality
    """Of the standard JPEG whose bytes are every method's budget, unless a run has others."""
    methods: dict[Text, Annotated[dict[Text, Method], Field(min_length=1)]]
    """Sets of methods, by name; main is what the size series and the pictures show."""
    runs: dict[Text, Run]
    """Images × methods, a table each."""
