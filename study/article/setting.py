"""What the study is: its equations' constants, its training, its images, its parameters.

All of it follows from params.yaml, the package's own constants and the notebooks' tables.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from fractions import Fraction
from inspect import signature
from pathlib import Path
from typing import Any

from msroi.encoder import direct
from msroi.encoder.blocks import SIDE
from msroi.encoder.importance import ACTIVITY, SALIENT
from msroi.encoder.mosaic import level_qualities
from msroi.encoder.tables import TUNES
from msroi.metrics import PEAK
from msroi.metrics import SALIENT as SALIENT_PIXEL
from msroi.model import STRIDE
from study.article.sentences import Params, Tables
from study.article.words import listed, sentence
from study.data.registry import source
from study.params import MODELS, title_of
from study.statistics.intervals import RESAMPLES
from study.training.recipe import architecture_of, recipe_of

RULES = {
    "expected": "every class counts by its probability",
    "threshold": "the classes above their thresholds count alike, as the paper's equation has it",
    "topk": "the first classes count by their rank, as the paper's text has it",
}
NONLINEAR = {"relu": "the ReLU", "softplus": "the softplus function"}
SIGNS = {
    "positive": "are non-negative: a feature speaks for a class or not at all",
    "signed": "have either sign",
}


def constants() -> dict[str, str]:
    """Those of the equations that no parameter changes."""
    return {
        "stride": f"{STRIDE}×{STRIDE}",
        "block": f"{SIDE}×{SIDE}",
        "last": str(SIDE * SIDE - 1),
        "peak": str(PEAK),
        "salient": str(Fraction(SALIENT_PIXEL).limit_denominator(100)),
        "flat_to": str(SALIENT[0]),
        "full_from": str(SALIENT[1]),
        "activity": f"{ACTIVITY:g}",
        "resamples": f"{RESAMPLES:,}",
    }


def chosen(params: Params) -> dict[str, str]:
    """Values of symbols in the equations that params.yaml chooses, and words beside them."""
    head = architecture_of("msroi", params["train"], classes=("any",))
    rule, methods = params["saliency"]["rule"], params["evaluate"]["methods"]["main"]
    levels = [methods["mosaic"][name] for name in ("levels", "q_low", "q_high")]
    return {
        "maps_per_class": str(head.maps_per_class),
        "activation": NONLINEAR[head.activation],
        "signs": SIGNS[head.evidence],
        "rule": rule["select"],
        "rule_says": RULES[rule["select"]],
        "scales": _scales(rule),
        **dict(zip(("levels", "q_low", "q_high"), map(str, levels), strict=True)),
        "qualities": listed([str(quality) for quality in level_qualities(*levels)]),
        "quality": str(params["evaluate"]["quality"]),
        **_tune(methods["direct"]),
    }


def training(params: Params) -> str:
    """Where the study's own heads learn, and for how long."""
    section = params["train"]
    cam, msroi = (section["heads"][name] for name in ("cam", "msroi"))
    images = params["fetch"][section["data"]].get("train") or source(section["data"]).images
    fixed = ", which stay as they are" if msroi["recipe"].get("frozen") else ""
    return (
        f"This study trains both heads on {source(section['data']).title} ({images:,} images, "
        f"{section['size']} pixels a side, {section['validation']:.0%} of each class held out): "
        f"CAM for {cam['recipe']['epochs']} epochs, then MS-ROI for {msroi['recipe']['epochs']} on "
        f"CAM's features{fixed}."
    )


def drawn(params: Params) -> str:
    """Which heads draw the maps of which images: those that ship, or those trained here."""
    by_heads: dict[str, list[str]] = {}
    for run in params["evaluate"]["runs"].values():
        own = Path(run["heads"]) == MODELS
        title = f"of {source(run['set']).title}"
        titles = by_heads.setdefault("the heads trained here" if own else "the released heads", [])
        titles += [title] if title not in titles else []
    said = [f"{heads} draw the maps {listed(titles)}" for heads, titles in by_heads.items()]
    return sentence("; ".join(said))


def shrunk(params: Params) -> str:
    """Which of the sets with a judge were made smaller, and why; "" where none was."""
    runs, names = params["evaluate"]["runs"], params["notebook"]["sets"]["independent_test"]
    made_smaller = [runs[name] for name in names if runs[name].get("shrink", 1) > 1]
    titles = list(dict.fromkeys(map(title_of, made_smaller)))
    if not titles:
        return ""
    return (
        f"The photographs of “{listed(titles)}” are JPEGs themselves, and were made smaller so "
        "that no trace of their own quantization rewards an encoder."
    )


def images(tables: Tables, params: Params) -> list[list[str]]:
    """What was measured on what, rows of strings: used for, images, what they are."""
    return [[what, f"{count:,}", which] for what, count, which in _images(tables, params)]


def _images(tables: Tables, params: Params) -> Iterator[tuple[str, int, str]]:
    for title, own in tables["table2_intervals"].groupby("set", sort=False):
        yield "metrics, intervals", own["images"].max(), title
    for title, own in tables["independent_test"].groupby("set", sort=False):
        yield "the independent judge", own["images"].max(), title
    runs = params["evaluate"]["runs"]
    titles = {name: source(run["set"]).title for name, run in runs.items()}
    yield "variants", tables["ablations"]["images"].max(), titles["ablations"]
    qualities = f"{titles['rates']}, each at {len(runs['rates']['qualities'])} rates"
    yield "rates", tables["rate_distortion"]["images"].max(), qualities
    scaled = tables["figure4_size_scaling"]
    steps = scaled.groupby(["width", "height"]).ngroups
    yield "sizes", scaled["image"].nunique(), f"{scaled['image'].iloc[0]}, at {steps} sizes"
    sorted_by = tables["figure5_categories"].groupby("category")["images"].first()
    of = titles[params["notebook"]["results"]["figure5_categories"]]
    yield "categories", sorted_by.sum(), f"{of}, {len(sorted_by)} categories"
    objects = tables["figure2_cam_vs_msroi"]
    yield "objects found", objects["scenes"].sum(), source("scenes").title
    where = f"{source('osie').title}, photographs with fixations"
    yield "agreement with people", tables["model_what_it_finds"]["images"].iloc[0], where


def parameters(params: Params) -> list[list[str]]:
    """The study's parameters, rows of strings: their place in params.yaml, their values."""
    train = params["train"]
    sections = {
        "saliency.rule": params["saliency"]["rule"],
        "evaluate": {"quality": params["evaluate"]["quality"]},
        **{f"evaluate.methods.{k}": v for k, v in params["evaluate"]["methods"]["main"].items()},
        "scale": params["scale"],
        "train": {k: v for k, v in train.items() if not isinstance(v, Mapping)},
        **{f"train.heads.{head}": _trained(head, params) for head in train["heads"]},
    }
    return [[name, _values(values)] for name, values in sections.items() if values]


def _trained(head: str, params: Params) -> dict[str, Any]:
    """A head's architecture and recipe, what they have by default too."""
    shape = asdict(architecture_of(head, params["train"], classes=("any",)))
    recipe = asdict(recipe_of(head, params["train"], seed=params["seed"]))
    return {k: v for k, v in (shape | recipe).items() if k not in ("classes", "head", "seed")}


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {_value(value)}" for key, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _scales(rule: Mapping[str, Any]) -> str:
    sides = rule.get("short_sides")
    if not sides:
        return "once and twice the side of the images that it was trained on"
    return f"short sides of {listed([str(side) for side in sides])} pixels"


def _tune(options: Mapping[str, Any]) -> dict[str, str]:
    defaults = signature(direct.encode).parameters
    strength, name = (options.get(key, defaults[key].default) for key in ("strength", "tune"))
    values = {"strength": strength} | TUNES[name]._asdict()
    return {"tune": name} | {key: f"{value:g}" for key, value in values.items()}
