"""The article: all that it says from the notebooks' tables, and its typesetting."""

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

from study.article import discussion, sentences, setting, sheets
from study.article.legends import FIGURES, legends
from study.article.sentences import Params, Tables

__all__ = ["FIGURES", "content", "typeset"]

LIBRARIES = (
    *("msroi", "torch", "numpy", "scipy", "pandas", "scikit-image", "pillow", "jpeglib", "numba"),
    *("mozjpeg-lossless-optimization", "psnr-hvsm", "matplotlib", "typst"),
)
SOURCES = ("article.typ", "layout.typ", "references.bib")

logger = logging.getLogger(__name__)


def content(
    tables: Tables,
    params: Params,
    *,
    deviations: Sequence[Sequence[str]],
    run: Mapping[str, str],
) -> dict[str, Any]:
    """All that the template sets: sentences, captions, tables, and facts of the run.

    Parameters
    ----------
    tables
        Name of a notebook → the table that it saved; of all `FIGURES`.
    params
        The study's.
    deviations
        Of `study.article.deviations`, the head first.
    run
        Facts of this run by name, shown as they are (authors, commit, machine, …).
    """
    heads, *rows = deviations
    return {
        "run": dict(run),
        "study": {"name": params["study"], "seed": str(params["seed"])},
        "versions": {name: version(name) for name in LIBRARIES},
        "constants": setting.constants() | setting.chosen(params),
        "said": said(tables, params),
        "captions": legends(tables, params),
        "sheets": {
            "claims": sheets.verdict(tables["verdict"]),
            "quality": sheets.quality(tables["table1_quality"]),
            "intervals": sheets.intervals(sentences.main_set(tables, params)),
            "rates": sheets.rates(tables["rate_distortion"]),
            "independent": sheets.independent(tables["independent_test"]),
            "images": sheets.plain(["used for", "images", "of"], setting.images(tables, params)),
            "deviations": sheets.plain(heads, rows),
            "parameters": sheets.plain(["", ""], setting.parameters(params)),
        },
    }


def said(tables: Tables, params: Params) -> dict[str, str]:
    """The sentences of the abstract and of all sections."""
    return {
        "shrunk": setting.shrunk(params),
        "training": setting.training(params),
        "drawn": setting.drawn(params),
        "abstract": discussion.abstract(tables, params),
        "claims": sentences.claims(tables["table1_quality"]),
        "stand_in": sentences.stand_in(params),
        "counts": sentences.counts(tables["verdict"]),
        "mosaic": sentences.mosaic(tables, params),
        "direct": sentences.direct(tables, params),
        "by_set": sentences.by_set(tables["table2_intervals"]),
        "mosaic_variants": sentences.variants(tables["ablations"], "mosaic"),
        "direct_variants": sentences.variants(tables["ablations"], "direct"),
        "judges": " ".join(sentences.judges(tables["independent_test"])),
        "rates_psnr": sentences.rates(tables["rate_distortion"], "psnr"),
        "rates_psnr_s": sentences.rates(tables["rate_distortion"], "psnr_s"),
        "heads": sentences.heads(tables["figure2_cam_vs_msroi"]),
        "people": sentences.people(tables["model_what_it_finds"]),
        "sizes": sentences.sizes(tables["figure4_size_scaling"]),
        "categories": sentences.categories(tables["figure5_categories"]),
        "holds": discussion.holds(tables["verdict"]),
        "loss": discussion.loss(tables, params),
        "circular": discussion.circular(tables, params),
        "price": discussion.price(tables, params),
        "features": discussion.features(tables["model_what_it_finds"]),
        "absolute": discussion.absolute(tables["table1_quality"]),
        "few": discussion.few(tables, params),
        "untested": discussion.untested(tables["verdict"]),
    }


def typeset(content: Mapping[str, Any], figures: Sequence[Path]) -> bytes:
    """The article as PDF bytes, which the same content and figures always give again.

    The fonts are typst's own, whatever the machine has; what typst warns of is logged.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "report.json").write_text(json.dumps(content, ensure_ascii=False))
        for figure in figures:
            shutil.copyfile(figure, root / figure.name)
        for source in SOURCES:
            (root / source).write_bytes((files("study.article") / source).read_bytes())
        pdf, warnings = typst.compile_with_warnings(
            root / "article.typ", root=folder, ignore_system_fonts=True
        )
    for warning in warnings:
        logger.warning("article.typ: %s", warning.message)
    return pdf
