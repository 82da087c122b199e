"""The article: its facts, and its typesetting. What it says stands in article.typ."""

import json
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from msroi.metrics import ALL
from study.article import facts, tables
from study.article.facts import Params, Tables

FIGURES = (  # in the article's order; each has a table of the same name
    "verdict",
    "figure1_closeup",
    "table1_quality",
    "table2_intervals",
    "ablations",
    "independent_test",
    "rate_distortion",
    "figure2_cam_vs_msroi",
    "figure3_maps",
    "model_what_it_finds",
    "figure4_size_scaling",
    "figure5_categories",
)
LIBRARIES = (
    *("msroi", "torch", "numpy", "scipy", "pandas", "scikit-image", "pillow", "jpeglib", "numba"),
    *("mozjpeg-lossless-optimization", "psnr-hvsm", "matplotlib", "typst"),
)

logger = logging.getLogger(__name__)


def content(
    found: Tables,
    params: Params,
    *,
    deviations: Sequence[Sequence[str]],
    run: Mapping[str, str],
) -> dict[str, Any]:
    """All that the template sets beside its own words.

    Parameters
    ----------
    found
        Name of a notebook → the table that it saved; of all `FIGURES`.
    params
        The study's.
    deviations
        Of `study.article.tables.deviations`, the head first.
    run
        Facts of this run by name, shown as they are (authors, commit, machine, …).
    """
    results = facts.found(found)
    asked = params["notebook"]
    main = asked["sets"]["table2_intervals"].index(asked["verdict"]["verdict"][0])
    return {
        "run": dict(run),
        "study": {"name": params["study"], "seed": params["seed"], **params["report"]},
        "versions": {name: version(name) for name in LIBRARIES},
        "labels": {key: metric.label for key, metric in ALL.items()},
        "constants": facts.constants(),
        "chosen": facts.chosen(params),
        "main": results["sets"][main],
        "deviations": list(deviations),
        "parameters": tables.parameters(params),
        **results,
    }


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
