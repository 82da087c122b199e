"""Where the stages read and write, and the study's parameters."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msroi.errors import InputError

PARAMS = Path("params.yaml")
RAW, NOTEBOOKS = Path("data/raw"), Path("notebooks")
TRIAL = Path("data/released/trial.csv")  # of Figure 2's eight heads: recorded by `make trial`
HEAD_NAMES = {"msroi": "MS-ROI", "cam": "CAM"}  # what their maps are called


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one study, which no other study writes to."""

    models: Path  # the heads that it trains
    training: Path
    results: Path
    partial: Path  # no output of a stage: DVC deletes those before it runs one
    findings: Path
    executed: Path  # notebooks, run
    figures: Path
    tables: Path
    article: Path  # a file
    said: Path  # another: all that the article says beside its own words


class StudyError(InputError, ValueError):
    """The study's parameters, or an earlier stage's files, are not as a stage needs them."""


def read_params() -> dict[str, Any]:
    """The study's parameters; StudyError where there is no such file."""
    import yaml

    try:
        return yaml.safe_load(PARAMS.read_text())
    except OSError:
        raise StudyError(
            f"{PARAMS} is not here: run the stage commands in the repository's root"
        ) from None


def places_of(params: Mapping[str, Any]) -> Places:
    """Where the study of these parameters reads and writes: `reports` and `models` say it."""
    reports = Path(params["reports"])
    return Places(
        models=Path(params["models"]),
        training=reports / "training",
        results=reports / "results",
        partial=reports / "partial",
        findings=reports / "findings",
        executed=reports / "notebooks",
        figures=reports / "figures",
        tables=reports / "tables",
        article=reports / "report.pdf",
        said=reports / "report.json",
    )


def entry(section: Mapping[str, Any], place: str, name: str) -> Any:
    """The value of that name in a section of params.yaml, which lies at ``place``."""
    if name not in section:
        raise StudyError(f"params.yaml has no {place}.{name}: choose from {', '.join(section)}")
    return section[name]


def heads_in(heads: Mapping[str, str], root: Path = Path()) -> dict[str, tuple[Path, str]]:
    """Give file and head by the names of the maps that they draw, as `named_maps` takes them.

    ``heads`` is a section of params.yaml: head → its network's file, from ``root`` on.
    """
    return {HEAD_NAMES[head]: (root / file, head) for head, file in heads.items()}


def tuples(options: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}


def as_csv(table) -> bytes:
    return table.to_csv(index=False, float_format="%.6f", lineterminator="\n").encode()


def as_json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
