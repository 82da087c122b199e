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
RESTORE = "mend it, or `git restore params.yaml` brings the sample study's back"
KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")  # of YAML, a text and <<
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


class StudyError(InputError, ValueError):
    """The study's parameters, or an earlier stage's files, are not as a stage needs them."""


def read_params() -> dict[str, Any]:
    """The study's parameters, as they stand in params.yaml; `study.schema` judges what they say.

    StudyError where there is no such file, it can't be read as YAML, has no sections, or says
    something twice.
    """
    try:
        text = PARAMS.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(
            f"{PARAMS} is not here: run the stage commands in the repository's root"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{PARAMS} can't be read as text ({error}): {RESTORE}") from None
    return parsed(text)


def parsed(text: str) -> dict[str, Any]:
    """The parameters in the text of a params.yaml, with the errors of `read_params`."""
    import yaml

    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        _check_keys(node)
        found = loader.construct_document(node) if node else None
    except StudyError:
        raise
    except Exception as error:  # YAMLError, and whatever PyYAML's constructors meet in a value
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        told = getattr(error, "problem", None) or str(error) or type(error).__name__
        problem = " ".join(told.split())
        raise StudyError(f"{PARAMS}{line} is no YAML ({problem}): {RESTORE}") from None
    if not isinstance(found, dict) or not found:
        held = "is empty" if not found else f"holds {str(found)[:40]!r} alone"
        raise StudyError(f"{PARAMS} {held}, and must hold the sections of a study: {RESTORE}")
    return found


def _check_keys(root: Any) -> None:
    """Refuse a key that stands twice, of which YAML would take the last, and one that is no text.

    ``root`` is a node of PyYAML's, of which an alias is the same one again.
    """
    waiting, seen = [(root, "")], set()
    while waiting:
        node, place = waiting.pop()
        if node is None or id(node) in seen or isinstance(node.value, str):
            continue
        seen.add(id(node))
        if node.id == "sequence":
            waiting += [(item, place) for item in node.value]
            continue
        names = set()
        for key, value in node.value:
            path, line = f"{place}{key.value}", key.start_mark.line + 1
            if key.tag not in KEY_TAGS:
                raise StudyError(f"{PARAMS}, line {line}: the key {path} must be a text: quote it")
            if key.value in names:
                raise StudyError(f"{PARAMS}, line {line}: {path} is said twice: leave one of them")
            names.add(key.value)
            waiting.append((value, f"{path}."))


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
