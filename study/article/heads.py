"""Whose heads drew the maps that a sentence is about."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.data.registry import source

RELEASED = Path("msroi/weights/released.onnx")


def whose(file: str | Path, params: Mapping[str, Any]) -> str:
    """Name the heads in a network's file: the study's own, the released ones, or another's.

    ``params`` are those of params.yaml, whose section ``train`` says what the study's own heads
    learned from; they lie in its folder ``models``.
    """
    if Path(file) == RELEASED:
        return "the released heads"
    if Path(file).is_relative_to(params.get("models", "models")):
        return f"this study’s own heads, trained on {source(params['train']['data']).title}"
    return f"the heads in {file}"


def of_findings(name: str, params: Mapping[str, Any]) -> str:
    """Name the heads whose findings in a set the study has, the released ones if it names none."""
    heads = params["findings"].get(name, {}).get("heads", {})
    return whose(heads.get("msroi", RELEASED), params)


def of_folder(found: str, params: Mapping[str, Any]) -> str:
    """Name the heads whose findings lie in a folder: in data/released, those that are released.

    In the study's own folder, of the name findings, they are those that found in ``osie``.
    """
    own = Path(found).name == "findings"
    return of_findings("osie", params) if own else whose(RELEASED, params)
