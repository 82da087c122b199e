"""The sections of params.yaml: what each parameter is, and what it may hold.

The sentences under the fields are the documentation of the parameters, which `python -m study
params` prints. What a recipe and an architecture hold, and the names of methods, of rules and of
classes, is said where these are made.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from msroi.architecture import STRIDE, Architecture
from msroi.saliency import EVIDENCE, PRIORS, SELECTIONS
from study.rendered.scenes.scene import CLASSES
from study.schema.kinds import OMITTED, Count, Heads, Section, Side, Size, Text
from study.schema.runs import Clips, Evaluate, Recognition
from study.training.recipe import Recipe

HEADS = ("msroi", "cam")
# Of a recipe and an architecture: what another parameter says, or the images
ELSEWHERE = {"seed": "seed", "head": "train.heads.NAME.head", "classes": "train.data"}


class Options(Section):
    """The recipe and the architecture of a head, whole."""

    recipe: Recipe
    architecture: Architecture


def _described(kind: type) -> dict[str, Any]:
    """The JSON schema of a section that says only what differs from the defaults of ``kind``."""
    schema = Options.model_json_schema()["$defs"][kind.__name__]
    fields = {name: node for name, node in schema["properties"].items() if name not in ELSEWHERE}
    return {"type": "object", "properties": fields, "additionalProperties": False}


# Their keys are checked once they are put together, a head's own with those of all heads
SomeRecipe = Annotated[dict[str, Any], WithJsonSchema(_described(Recipe))]
SomeArchitecture = Annotated[dict[str, Any], WithJsonSchema(_described(Architecture))]


class Dataset(Section):
    path: Text | None = None
    """A copy on disk, used where it lies; null is $MSROI_DATA, or a download."""
    categories: Annotated[list[Text], Field(min_length=1)] | None = None
    """The subfolders that are wanted; null is all."""
    each: Count | None = None
    """So many images of each category, drawn by the seed; null is all."""


class Nothing(Section):
    pass


class Scenes(Section):
    train: Count
    """Scenes of one object, to train on."""
    train_size: Size
    """Their height and width, pixels."""
    test_per_count: Count
    """Scenes of 1, of 2, of 3 and of 4 objects, to test on."""
    test_size: Size
    """Their height and width, pixels."""


class Categories(Section):
    count: Count
    """Images a category."""
    size: Size
    """Their height and width, pixels."""


class Rule(Section):
    select: Literal[SELECTIONS] = "expected"
    """How classes are chosen: three readings of Eq. 5. A CAM head heeds it not."""
    k: Count = 5
    """Classes that topk takes."""
    evidence: Literal[EVIDENCE] = "excess"
    """What stands out from the image's mean, or plain as the paper's."""
    prior: Literal[PRIORS] = ""
    """Multiplies the map by a blob in the middle, which knows nothing of the image."""
    short_sides: list[Side] = Field([])
    """The image's shorter side as the network sees it, pixels; none given, 5/7, 10/7 and 20/7 of
    the side that it was trained at."""


class Saliency(Section):
    heads: Heads
    """The heads that draw the maps."""
    rule: Rule
    """How maps are made of photographs, as `msroi.saliency_map` has it."""


class Published(Section):
    picture: Text
    """The notebook whose figure README shows."""


class Report(Section):
    discussion: Text | None
    """NAME of a study/article/discussion_NAME.typ; null is an article without one."""


class Head(Section):
    features: Text
    """The file that its features start from; a folder: from nothing but its data."""
    head: Literal[HEADS] = OMITTED
    """Its kind, where it is not named after it."""
    background: bool = False
    """Whether it learns from the images of no class too."""
    recipe: dict[str, Any] = Field({})
    """What differs from train.recipe."""
    architecture: dict[str, Any] = Field({})
    """What differs from train.architecture."""
    data: Text = OMITTED
    """In place of train.data."""
    size: Annotated[int, Field(ge=STRIDE, multiple_of=STRIDE)] = OMITTED
    """In place of train.size."""
    stored: Side | None = OMITTED
    """In place of train.stored."""
    validation: Annotated[float, Field(ge=0, lt=1)] = OMITTED
    """In place of train.validation."""
    groups: Text | None = OMITTED
    """In place of train.groups."""


class Train(Section):
    data: Text
    """The image set that heads learn from, one that the study fetches."""
    size: Annotated[int, Field(ge=STRIDE, multiple_of=STRIDE)]
    """Pixels a side of the examples."""
    stored: Side | None
    """Pixels a side of the squares that crops are cut from; null is size."""
    validation: Annotated[float, Field(ge=0, lt=1)]
    """Share that is held out, class by class."""
    groups: Text | None
    """A CSV file that merges classes into coarser ones, or caltech256 for the shipped one."""
    recipe: SomeRecipe
    """How all heads are trained, where it differs from `study.training.recipe.Recipe`."""
    architecture: SomeArchitecture
    """The network of all heads, where it differs from `msroi.architecture.Architecture`."""
    heads: dict[Text, Head]
    """By name; each is of the kind that it is named after, or that `head` says."""


class Scale(Section):
    image: Text | None
    """A file of one's own; null renders a scene."""
    objects: Annotated[list[Literal[CLASSES]], Field(max_length=16)]
    """Of that scene."""
    size: Size
    """Its height and width, pixels."""
    count: Count
    """Sizes, from the whole image down."""
    smallest: Side
    """The shorter side of the smallest, pixels."""


class Settings(Section):
    every: Count
    """Of so many images one is taken."""
    short_sides: Annotated[list[Side], Field(min_length=1)]
    """The scales, pixels of the shorter side."""
    top: list[Count]
    """The k of each topk that is tried beside expected and threshold."""


class Finding(Section):
    heads: Heads
    """Those whose maps, or classes, are judged."""
    settings: Settings = OMITTED
    """What MS-ROI's maps find by other rules and scales, where that is wanted."""


class Beyond(Section):
    sets: Annotated[list[Text], Field(min_length=4, max_length=4)]
    """Four runs of every codec, plain and led, a set each."""
    rates: Text
    """The run of x265 at several qualities."""
    recognised: Annotated[list[Text], Field(min_length=2, max_length=2)]
    """Two runs of recognition, a set each."""
    clips: Annotated[list[Text], Field(min_length=2, max_length=2)]
    """Two runs of clips, an encoder each."""


class Notebooks(Section):
    results: dict[Text, Text]
    """Notebooks that read one run: its name."""
    sets: dict[Text, Annotated[list[Text], Field(min_length=2, max_length=4)]]
    """Notebooks that read two to four runs; one alone is named twice."""
    verdict: dict[Text, Annotated[list[Text], Field(min_length=2, max_length=2)]]
    """The run beside the paper's Kodak rows, and the one beside its Figure 5."""
    pictures: dict[Text, dict[Text, Any]]
    """Notebooks that show photographs: their parameters."""
    scenes: dict[Text, dict[Text, Any]]
    """Notebooks that show rendered scenes: their parameters."""
    released: dict[Text, dict[Text, Any]]
    """Notebooks that show the released heads: their parameters."""
    beyond: dict[Text, Beyond]
    """Notebooks on codecs other than JPEG: the runs that they read."""


class Trial(Section):
    sets: Annotated[list[Text], Field(min_length=1)]
    """Where several objects are."""
    rule: Rule
    """How the maps of all heads are made."""


class Study(Section):
    study: Annotated[str, Field(pattern=r"^[\w-]+$")]
    """The study's name."""
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    """Of everything that is drawn at random."""
    reports: Text
    """The study's own folder of results, figures and the article."""
    models: Text
    """The study's own folder of the heads that it trains."""
    photographs: Text
    """The folder that notebooks take photographs from."""
    broken: Literal["stop", "skip"]
    """Images that can't be decoded. stop: training stops at the first; evaluation measures the
    others, names all that are broken, exits 2 and writes no table (what was measured is kept for
    the run after). skip: they are named and left out."""
    datasets: dict[Text, Dataset]
    """Where image sets lie and which part of each is wanted; yours come from
    conf/datasets/mine.yaml."""
    fetch: dict[Text, dict[str, Any]]
    """The image sets of the study; those that are made here have options."""
    saliency: Saliency
    """The maps of photographs."""
    evaluate: Evaluate
    """Encoders at equal bytes."""
    recognition: dict[Text, Recognition]
    """Whether a classifier names decoded photographs as it does the originals, a run a set."""
    clips: dict[Text, Clips]
    """Videos of rendered scenes under the map, a run an encoder."""
    train: Train
    """The heads that the study trains."""
    scale: Scale
    """One image at many sizes."""
    findings: dict[Text, Finding]
    """What heads find in image sets, by the set's name."""
    notebook: Notebooks
    """What notebooks show, by what they read: dvc.yaml has a stage for each group."""
    publish: dict[Text, Published]
    """Runs whose results README shows."""
    report: Report
    """The article."""
    trial: Trial = OMITTED
    """Figure 2's fair trial (`make trial`): what the heads of train.heads find."""


# Options in `fetch` of the sets that are made here; all others have none
MADE = {"sample": Nothing, "categories": Categories, "scenes": Scenes}
MADE |= {"imagenet": Nothing, "classifier": Nothing}
