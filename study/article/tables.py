"""The article's tables of what is not a result: the deviations, and the study's parameters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from msroi.errors import InputError
from study.training.recipe import architecture_of, recipe_of

DEVIATIONS = "## Deviations from the paper"
PARAMETERS = ("saliency.rule", "evaluate.quality", "evaluate.methods.main", "scale", "train")


class NoDeviationsError(InputError, ValueError):
    """A README without its table of deviations."""


def deviations(readme: str) -> list[list[str]]:
    """Rows of the Markdown table below README's heading `DEVIATIONS`, its head first.

    Returns
    -------
    list of rows of stripped cells, in Markdown; the line of dashes is left out.

    Raises
    ------
    NoDeviationsError
        There is no such heading, or no row below it.
    """
    _, _, after = readme.partition(f"\n{DEVIATIONS}\n")
    section = after.partition("\n## ")[0]
    lines = [line.strip().strip("|") for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    head, *body = [row for row in rows if any(cell.strip("-") for cell in row)] or [[]]
    if not body:
        raise NoDeviationsError(f"README.md has no table of deviations: give it {DEVIATIONS!r}")
    return [head, *body]


def parameters(params: Mapping[str, Any]) -> list[list[str]]:
    """The parameters at the places `PARAMETERS`: rows of a place in params.yaml and its values."""
    rows = []
    for place in PARAMETERS:
        value: Any = params | {"train": _train(params)}
        for key in place.split("."):
            value = value[key]
        rows += _rows(place, value)
    return rows


def _train(params: Mapping[str, Any]) -> dict[str, Any]:
    """The section `train`, each head with all of its architecture and recipe, defaults too."""
    section = params["train"]
    heads = {}
    for head in section["heads"]:
        shape = asdict(architecture_of(head, section, classes=("any",)))
        recipe = asdict(recipe_of(head, section, seed=params["seed"]))
        told = ("classes", "head", "seed")  # elsewhere
        heads[head] = {key: v for key, v in (shape | recipe).items() if key not in told}
    return {key: v for key, v in section.items() if not isinstance(v, Mapping)} | {"heads": heads}


def _rows(place: str, value: Any) -> Iterator[list[str]]:
    """A row for the plain values at a place, and those of the mappings within."""
    if not isinstance(value, Mapping):
        yield [place, _shown(value)]
        return
    plain = {key: one for key, one in value.items() if not isinstance(one, Mapping)}
    if plain:
        yield [place, ", ".join(f"{key} {_shown(one)}" for key, one in plain.items())]
    for key, one in value.items():
        if isinstance(one, Mapping):
            yield from _rows(f"{place}.{key}", one)


def _shown(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
