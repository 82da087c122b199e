"""What params.yaml may hold: checked before a stage begins.

A stage's result follows from the values of its parameters alone, so that none depends on this
package: `python -m study` checks, and the stages compute.
"""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from study.params import PARAMS, StudyError
from study.schema.kinds import Section
from study.schema.references import problems
from study.schema.sections import ELSEWHERE, MADE, Options, Study
from study.schema.words import documentation, dotted, may_hold, shown

UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")  # pydantic's words, of a dataclass too

__all__ = ["check", "documentation_of_parameters"]


def check(params: Mapping[str, Any]) -> None:
    """Hold a study's parameters to the schema.

    StudyError for the first that is wrong: one line that names its path, what it holds and what it
    may hold.
    """
    study = _read(Study, params, ())
    for name, options in study.fetch.items():
        _read(MADE.get(name, Section), options, ("fetch", name))
    _check_training(params["train"])
    for path, value, may in problems(study):
        raise StudyError(f"{PARAMS}: {dotted(path)} is {shown(value)}; it must be {may}")


def documentation_of_parameters() -> str:
    """A paragraph for every parameter of params.yaml, as `python -m study params` prints them."""
    options = {name: documentation(kind) for name, kind in MADE.items()}
    made = [f"fetch.{name} holds:\n{text}" for name, text in options.items() if text]
    return "\n\n".join([documentation(Study), *made])


def _read(kind: type[Section], held: Any, place: Sequence[Any]) -> Any:
    """Make a section of what params.yaml holds at a place."""
    try:
        # as JSON, of which a list may become a tuple, and a section a dataclass
        return kind.model_validate_json(json.dumps(held, default=str))
    except ValidationError as error:
        found = error.errors(include_url=False)
        # a name that is wrong is also lacking: what stands there tells more
        first = min(found, key=lambda each: each["type"] not in UNKNOWN)
        raise StudyError(_told(kind, first, place)) from None
    except (ValueError, RecursionError):
        raise StudyError(f"{PARAMS}: {dotted(place) or 'a section'} holds itself") from None


def _told(kind: type[Section], error: Mapping[str, Any], place: Sequence[Any]) -> str:
    """One line on what pydantic found wrong in a section at a place."""
    loc, value = error["loc"], shown(error["input"])
    path, within = dotted([*place, *loc]), dotted([*place, *loc[:-1]])
    if kind is Options:
        kind, loc = Study, ("train", *loc)
    match error["type"]:
        case "missing":
            return f"{PARAMS} has no {path}; it must be {may_hold(kind, loc)}"
        case "extra_forbidden" | "unexpected_keyword_argument":
            holder = may_hold(kind, loc[:-1])
            near = get_close_matches(str(loc[-1]), holder.replace(",", " ").split(), n=1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            where = within or "it"
            return f"{PARAMS}: {path} is {value}, and unknown{meant}; {where} must be {holder}"
        case "value_error":
            return f"{PARAMS}: {path}: {error['msg'].removeprefix('Value error, ')}"
        case _:
            held = f"{value}{_number_in(error['input'])}"
            return f"{PARAMS}: {path} is {held}; it must be {may_hold(kind, loc)}"


def _number_in(value: Any) -> str:
    """How to write a number that YAML takes for a text, such as 1e-3; "" for all else."""
    try:
        return f", a text (as a number: {float(value)})" if isinstance(value, str) else ""
    except ValueError:
        return ""


def _check_training(section: Mapping[str, Any]) -> None:
    """Check what all heads share, and what each has of its own together with it."""
    from study.training.recipe import settings_of

    every = {"epochs": 1} | section["recipe"], section["architecture"]
    _options(*every, place=("train",))
    for name in section["heads"]:
        own = settings_of(name, section)
        _options(own["recipe"], own["architecture"], place=("train", "heads", name))


def _options(recipe: Mapping, architecture: Mapping, *, place: Sequence[str]) -> None:
    for part, held in {"recipe": recipe, "architecture": architecture}.items():
        for name in ELSEWHERE.keys() & held:
            path = dotted([*place, part, name])
            raise StudyError(f"{PARAMS}: {path} must be left out: {ELSEWHERE[name]} says it")
    both = {"recipe": recipe, "architecture": {"classes": ["any"]} | architecture}
    _read(Options, both, place)
