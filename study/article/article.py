"""The article: its facts, its tables of what is no result, and its typesetting.

What it says stands in article.typ.
"""

import json
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from os.path import relpath
from pathlib import Path
from typing import Any

import pandas as pd
import typst

from msroi.errors import InputError
from msroi.metrics import ALL
from study.article import codecs, facts, parameters
from study.article.facts import Tables
from study.article.parameters import Params
from study.params import NOTEBOOKS, places_of

# What only a study has whose section notebook.beyond is not empty
BEYOND = ("beyond_jpeg", *(f"beyond_jpeg_{part}" for part in ("rates", "recognised", "clips")))
TABLES = (  # that the notebooks save, and the article's numbers come from
    "verdict",
    "figure1_closeup",
    "table1_quality",
    "table2_intervals",
    "ablations",
    "authors_log",
    "independent_test",
    "ladder",
    "rate_distortion",
    *BEYOND,
    "figure2_cam_vs_msroi",
    "figure2_cam_vs_msroi_classes",
    "figure2_cam_vs_msroi_people",
    "figure3_maps",
    "model_what_it_finds",
    "figure4_size_scaling",
    "figure5_categories",
)
FIGURES = (  # that the article shows, in its order; each has a table of the same name
    "figure1_closeup",
    "ablations",
    "rate_distortion",
    "beyond_jpeg",
    "figure4_size_scaling",
    "figure5_categories",
    "figure2_cam_vs_msroi",
    "figure3_maps",
    "authors_log",
)
LIBRARIES = (
    *("msroi", "torch", "numpy", "scipy", "pandas", "scikit-image", "pillow", "jpeglib", "numba"),
    *("mozjpeg-lossless-optimization", "pyjpegli", "psnr-hvsm", "ssimulacra2", "matplotlib"),
    "typst",
)
DEVIATIONS = "## Deviations from the paper"

logger = logging.getLogger(__name__)


def tables_of(params: Params) -> tuple[str, ...]:
    """The tables that the article of a study has its numbers from."""
    return TABLES if params["notebook"]["beyond"] else tuple(n for n in TABLES if n not in BEYOND)


def figures_of(params: Params) -> tuple[str, ...]:
    """The figures that the article of a study shows, in its order."""
    made = tables_of(params)
    return tuple(name for name in FIGURES if name in made)


class NoDeviationsError(InputError, ValueError):
    """A README without its table of deviations."""


def content(
    found: Tables,
    params: Params,
    *,
    trial: pd.DataFrame,
    deviations: Sequence[Sequence[str]],
    run: Mapping[str, str],
    skipped: Mapping[str, int],
) -> dict[str, Any]:
    """All that the template sets beside its own words.

    ``found`` has the tables of `tables_of`; ``trial`` is the record at `study.params.TRIAL`;
    ``deviations`` are the rows of `deviations`, the head first; ``run`` has the facts of this run
    by name, shown as they are (authors, commit, machine, …); ``skipped`` how many images of a set,
    by its title, were left out as broken.
    """
    results = facts.found(found)
    asked = params["notebook"]
    main = asked["sets"]["table2_intervals"].index(asked["verdict"]["verdict"][0])
    return {
        "run": run,
        "study": {"name": params["study"], "seed": params["seed"], **params["report"]},
        "versions": {name: version(name) for name in LIBRARIES},
        "labels": {key: metric.label for key, metric in ALL.items()},
        "constants": parameters.constants(),
        "chosen": parameters.chosen(params),
        "taken": parameters.taken(params, skipped),
        "trial": facts.tried(trial, seed=params["seed"]),
        "places": places(places_of(params).article.parent),
        "main": results["sets"][main],
        "deviations": deviations,
        "beyond": codecs.found(found),
        **results,
    }


def places(folder: Path) -> dict[str, str]:
    """Where a reader of the article in a folder finds the notebooks, and the tables beside it."""
    return {"notebooks": relpath(NOTEBOOKS, folder), "tables": "tables"}


def said_beside(article: Path) -> Path:
    """Where all that an article says beside its own words lies: report.json for report.pdf."""
    return article.with_suffix(".json")


def typeset(content: Mapping[str, Any], figures: Sequence[Path]) -> bytes:
    """The article as PDF bytes, which the same content and figures always give again.

    The fonts are typst's own, whatever the machine has; what typst warns of is logged.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = lay_out(content, figures, Path(folder))
        pdf, warnings = typst.compile_with_warnings(source, root=folder, ignore_system_fonts=True)
    for warning in warnings:
        logger.warning("article.typ: %s", warning.message)
    return pdf


def lay_out(content: Mapping[str, Any], figures: Sequence[Path], folder: Path) -> Path:
    """Put into a folder all that Typst reads; returns the article's place in it."""
    (folder / "report.json").write_text(json.dumps(content, ensure_ascii=False, allow_nan=False))
    for figure in figures:
        shutil.copyfile(figure, folder / figure.name)
    for source in files("study.article").iterdir():
        if source.name.endswith((".typ", ".bib")):
            (folder / source.name).write_bytes(source.read_bytes())
    return folder / "article.typ"


def deviations(readme: str) -> list[list[str]]:
    """Rows of the Markdown table below README's heading `DEVIATIONS`, its head first.

    Cells are Markdown, stripped; the line of dashes is left out. NoDeviationsError where there is
    no such heading, or no row below it.
    """
    _, _, after = readme.partition(f"\n{DEVIATIONS}\n")
    section = after.partition("\n## ")[0]
    lines = [line.strip().strip("|") for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    head, *body = [row for row in rows if any(cell.strip("-") for cell in row)] or [[]]
    if not body:
        raise NoDeviationsError(f"README.md has no table of deviations: give it {DEVIATIONS!r}")
    return [head, *body]
