"""Values for the article's sentences on how it was found: the study's parameters, and the package.

`constants` has those of the equations that no parameter changes, `chosen` what params.yaml chooses,
`taken` the parts of sets that a study takes.
"""

from collections.abc import Mapping
from inspect import signature
from math import log10
from pathlib import Path
from typing import Any

from msroi.architecture import STRIDE
from msroi.encoder import direct
from msroi.encoder.blocks import SIDE
from msroi.encoder.importance import MASKING_ENERGY, SALIENCY_RAMP
from msroi.encoder.mosaic import level_qualities
from msroi.encoder.tables import TUNES, Tune
from msroi.metrics import PEAK, SALIENT_SHARE
from msroi.network import SIDE_RATIOS
from msroi.saliency import EVIDENCE, FLOOR, MIDDLE, POWER
from study.article import heads
from study.article.facts import Facts
from study.data.registry import source, title_of
from study.statistics.intervals import RESAMPLES
from study.training.recipe import architecture_of, recipe_of

Params = Mapping[str, Any]

NARROW = 235 - 16  # of 8 bits of luma, what video uses (ITU-R BT.601)


def constants() -> Facts:
    """Those of the equations that no parameter changes."""
    return {
        "stride": f"{STRIDE}×{STRIDE}",
        "block": f"{SIDE}×{SIDE}",
        "last": SIDE * SIDE - 1,
        "peak": PEAK,
        "salient": f"{SALIENT_SHARE:.0%}",
        "ramp": [f"{share:.0%}" for share in SALIENCY_RAMP],
        "activity": f"{MASKING_ENERGY:g}",
        "dark": direct.DARK,
        "narrow": f"{20 * log10(PEAK / NARROW):.2f} dB",
        "map": {
            "floor": FLOOR,
            "power": f"{POWER:g}",
            "top": 1,
            "middle": f"{MIDDLE:g}",
            "ratios": [str(ratio) for ratio in SIDE_RATIOS],
        },
        "resamples": f"{RESAMPLES:,}",
    }


def chosen(params: Params) -> Facts:
    """What params.yaml chooses: symbols of the equations, training, whose heads draw which maps."""
    head = architecture_of("msroi", params["train"], classes=("any",))
    methods, rule = params["evaluate"]["methods"]["main"], params["saliency"]["rule"]
    levels = {name: methods["mosaic"][name] for name in ("levels", "q_low", "q_high")}
    defaults = signature(direct.encode).parameters
    strength, tune = (
        methods["direct"].get(name, defaults[name].default) for name in ("strength", "tune")
    )
    return {
        "maps_per_class": head.maps_per_class,
        "activation": head.activation,
        "evidence": head.sign,
        "rule": rule["select"],
        "drawn_from": rule.get("evidence", EVIDENCE[0]),
        "short_sides": rule.get("short_sides", []),
        **levels,
        "qualities": level_qualities(**levels),
        "quality": params["evaluate"]["quality"],
        "strength": strength,
        "tune": {"name": tune} | _tune(TUNES[tune]),
        "train": _training(params),
        "whose": _whose(params),
        **_runs(params),
    }


def _tune(tune: Tune) -> Facts:
    """Its numbers; of each channel also the factor on DC's step, both factors together."""
    channels = {
        name: channel._asdict() for name, channel in zip(tune._fields, tune[:3], strict=False)
    }
    for channel in channels.values():
        channel["dc"] = f"{channel['steps'] * channel['mean_step']:.2g}"
    return channels | {"darkness": tune.darkness}


def _training(params: Params) -> Facts:
    """Where the study's own heads learn, and for how long."""
    section = params["train"]
    data = source(section["data"])
    recipes = {head: recipe_of(head, section, seed=params["seed"]) for head in section["heads"]}
    asked = params["datasets"].get(section["data"]) or {}
    images = params["fetch"][section["data"]].get("train") or data.images
    return {
        "data": data.title,
        "images": None if asked.get("each") or asked.get("categories") else f"{images:,}",
        "size": section["size"],
        "validation": f"{section['validation']:.0%}",
        "backbone": section["architecture"].get("backbone", "paper"),
        "epochs": {head: recipe.epochs for head, recipe in recipes.items()},
        "frozen": recipes["msroi"].frozen,
        "background": section["heads"]["msroi"].get("background", False),
    }


def taken(params: Params, skipped: Mapping[str, int]) -> Facts:
    """Which sets the study takes a part of, on purpose; and how many images it had to skip.

    ``parts`` has a record for each such set: its title, the categories (none where it is all of
    them), the images of each one (None where it is all), and whether the set has classes.
    ``skipped`` is printed by the set's title, as it is given.
    """
    asked = {name: params["datasets"].get(name) or {} for name in params["fetch"]}
    parts = [
        {
            "set": source(name).title,
            "categories": [str(one) for one in own.get("categories") or []],
            "each": own.get("each"),
            "classed": source(name).classes > 0,
        }
        for name, own in asked.items()
        if own.get("each") or own.get("categories")
    ]
    return {"parts": parts, "skipped": {title: f"{count:,}" for title, count in skipped.items()}}


def _whose(params: Params) -> Facts:
    """Whose heads counted the objects of scenes, drew Figure 2's photograph, and are shown."""
    groups = params["notebook"]
    photograph = groups["scenes"]["figure2_cam_vs_msroi"]["looked_at"]["image"]
    shown = groups["released"]["model_what_it_finds"]
    return {
        "counted": heads.of_findings("scenes", params),
        "photograph": heads.whose(params["saliency"]["heads"]["msroi"], params)
        if photograph
        else None,
        "finds": heads.of_folder(shown.get("found", ""), params),
    }


def _runs(params: Params) -> Facts:
    """What the runs' images are called; of which sets the study's own heads draw the maps."""
    runs, asked = params["evaluate"]["runs"], params["notebook"]
    main, categories = asked["verdict"]["verdict"]
    titles = {name: title_of(run) for name, run in runs.items()}
    own_folder = Path(params["models"])
    own = {name for name, run in runs.items() if Path(run["heads"]["msroi"]).parent == own_folder}
    variants = params["evaluate"]["methods"]["ablations"]
    return {
        "titles": titles,
        "categories": titles[categories],
        "scenes": source("scenes").title,
        "looked_at": source("osie").title,
        "own_heads": list(dict.fromkeys(titles[name] for name in runs if name in own)),
        "released_heads": list(dict.fromkeys(titles[name] for name in runs if name not in own)),
        "shrunk": [titles[name] for name, run in runs.items() if run.get("scale", 1) < 1],
        "rates": len(runs["rates"]["qualities"]),
        "main": runs[main]["set"],
        "mosaics": [row for row, own in variants.items() if own.get("method") == "mosaic"],
    }
