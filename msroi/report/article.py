"""The report: what was run, every figure with its caption, Table 1 beside the paper's."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import typst

from msroi.figures import DECIBELS, LABELS
from msroi.report.captions import CAPTIONS
from msroi.study import METRICS

LIBRARIES = ("msroi", "torch", "numpy", "pillow", "scipy", "psnr-hvsm")


def content(tables: Mapping[str, pd.DataFrame], run: Mapping[str, Any]) -> dict[str, Any]:
    """All that the template sets: captions, Table 1, and facts of the run.

    Parameters
    ----------
    tables
        Name of a notebook → the table that it saved.
    run
        Facts of this run, shown as they are (profile, seed, …); the libraries' versions are added.
    """
    versions = {name: version(name) for name in LIBRARIES}
    return {
        "run": {str(key): str(value) for key, value in run.items()} | versions,
        "captions": {name: CAPTIONS[name](table) for name, table in tables.items()},
        "table1": table1_rows(tables["table1_quality"]),
    }


def table1_rows(table: pd.DataFrame) -> dict[str, Any]:
    """Table 1 as the template takes it: heads, and for each set its name and rows of strings."""
    sections = [
        {
            "title": f"{name} [{int(rows['images'].iloc[0])} images], {source}",
            "rows": [
                [row["method"], *map(_cell, METRICS, row[list(METRICS)])]
                for _, row in rows.iterrows()
            ],
        }
        for (source, name), rows in table.groupby(["source", "set"], sort=False)
    ]
    return {"heads": [LABELS[metric] for metric in METRICS], "sections": sections}


def typeset(content: Mapping[str, Any], figures: Sequence[Path]) -> bytes:
    """The report as PDF bytes, which the same content and figures always give again."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "report.json").write_text(json.dumps(content, ensure_ascii=False))
        for figure in figures:
            shutil.copyfile(figure, root / figure.name)
        source = root / "article.typ"
        source.write_text((files("msroi.report") / "article.typ").read_text())
        return typst.compile(source, root=folder)


def _cell(metric: str, value: float) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:.2f}" if metric in DECIBELS else f"{value:.3f}"
