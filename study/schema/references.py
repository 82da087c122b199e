"""What the parameters name, and whether it is there: methods, runs, sets, heads, notebooks."""

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from msroi.encoder import METHODS
from study.codecs import METHODS as OTHER_METHODS
from study.data.classes import GROUPS
from study.data.registry import source, sources
from study.params import NOTEBOOKS, RAW
from study.schema.runs import Method
from study.schema.sections import HEADS, MADE, Study

ARTICLE = Path(__file__).parents[1] / "article"
KINDS = {ast.List: list, ast.Dict: dict}  # of the literals in a notebook's `parameters` cell
ALWAYS = {"method", "budget"}  # options of every method of JPEG, of the evaluation's own


class Problem(NamedTuple):
    """What is wrong: the path of a key, what it holds, and what it may hold."""

    path: tuple[str | int, ...]
    value: Any
    may_hold: str


def problems(study: Study) -> Iterator[Problem]:
    """All that a study names and has not, section by section; the first one first."""
    yield from _methods(study)
    yield from _runs(study)
    yield from _training(study)
    yield from _sizes(study)
    yield from _notebooks(study)
    yield from _rest(study)


def _unknown(path: tuple, value: Any, known: Iterable[Any], *, what: str = "") -> Iterator[Problem]:
    """A problem where a value is none of those that are known."""
    if value not in (known := list(known)):
        names = ", ".join(map(str, known)) or "there is none yet"
        yield Problem(path, value, f"{what or 'one of these'}: {names}")


def _fetched(path: tuple, name: str, study: Study) -> Iterator[Problem]:
    """A problem where an image set is neither fetched by the study nor there already."""
    if not (RAW / name).is_dir():
        yield from _unknown(path, name, study.fetch, what="an image set of the section fetch")


def _methods(study: Study) -> Iterator[Problem]:
    if "main" not in study.evaluate.methods:
        names = [*study.evaluate.methods]
        yield Problem(("evaluate", "methods"), names, "a set of the name main, and others")
    for name, rows in study.evaluate.methods.items():
        path = ("evaluate", "methods", name)
        if "standard" not in rows:
            yield Problem(path, [*rows], "a row `standard: {}`, which all others are compared with")
        for row, own in rows.items():
            yield from _method((*path, row), row, own)


def _method(path: tuple, row: str, own: Method) -> Iterator[Problem]:
    """Problems of a row of a table: its method, and the options that it has."""
    name, given = own.method or row, own.model_fields_set
    if name not in (*METHODS, *OTHER_METHODS):
        what = "the name of a method, or have an option `method`, one of these"
        yield from _unknown(path, row, (*METHODS, *OTHER_METHODS), what=what)
        return
    known = _options_of(name)
    for option in sorted(given - known):
        may = f"options of {name}: {', '.join(sorted(known))}"
        yield Problem((*path, option), getattr(own, option), f"left out; there may be {may}")
    if name == "mosaic" and own.q_low > own.q_high:
        yield Problem((*path, "q_low"), own.q_low, f"at most q_high, which is {own.q_high}")


def _options_of(method: str) -> set[str]:
    """The options that a method has in a table."""
    if method in OTHER_METHODS:
        return {"method", "quality"} | ({"map"} if OTHER_METHODS[method] else set())
    heeded = {"map"} if METHODS[method].heeds_map else set()
    return ALWAYS | heeded | set(METHODS[method].options)


def _runs(study: Study) -> Iterator[Problem]:
    for name, run in study.evaluate.runs.items():
        path = ("evaluate", "runs", name)
        what = "a set of evaluate.methods"
        yield from _unknown((*path, "methods"), run.methods, study.evaluate.methods, what=what)
        yield from _fetched((*path, "set"), run.set, study)
        yield from _heads((*path, "heads"), run.heads, study)
    yield from _recognition(study)
    yield from _heads(("saliency", "heads"), study.saliency.heads, study)
    for name, finding in study.findings.items():
        yield from _fetched(("findings", name), name, study)
        yield from _heads(("findings", name, "heads"), finding.heads, study)


def _recognition(study: Study) -> Iterator[Problem]:
    for name, run in study.recognition.items():
        path = ("recognition", name)
        of_jpeg = [
            methods
            for methods, rows in study.evaluate.methods.items()
            if not any((own.method or row) in OTHER_METHODS for row, own in rows.items())
        ]
        what = "a set of evaluate.methods, all of JPEG"
        yield from _unknown((*path, "methods"), run.methods, of_jpeg, what=what)
        yield from _fetched((*path, "set"), run.set, study)
        yield from _heads((*path, "heads"), run.heads, study)
    for name, run in study.clips.items():
        yield from _heads(("clips", name, "heads"), run.heads, study)


def _heads(path: tuple, heads: Any, study: Study) -> Iterator[Problem]:
    for head in HEADS:
        yield from _trained((*path, head), getattr(heads, head), study)


def _trained(path: tuple, file: str, study: Study) -> Iterator[Problem]:
    """A problem where a file in the study's folder of heads is neither there nor to be trained."""
    place = Path(file)
    if place.parent == Path(study.models) and not place.is_file():
        known = [str(place.with_name(name + place.suffix)) for name in study.train.heads]
        yield from _unknown(path, file, known, what="a file of a head of train.heads")


def _training(study: Study) -> Iterator[Problem]:
    section = study.train
    yield from _taught(("train",), section, section, study)
    for name, head in section.heads.items():
        path = ("train", "heads", name)
        what = f"a name of a head, or have `head`, {' or '.join(HEADS)}"
        yield from _unknown(path, head.head or name, HEADS, what=what)
        yield from _trained((*path, "features"), head.features, study)
        yield from _taught(path, head, section, study)
        data = head.data or section.data
        if head.background and not source(data).no_class:
            may = f"false: the set {data} has no images of no class"
            yield Problem((*path, "background"), True, may)
        if study.trial and len(name.split("-")) != 3:
            yield Problem(path, name, "features-weights-head, as the names in a trial are")


def _taught(path: tuple, own: Any, shared: Any, study: Study) -> Iterator[Problem]:
    """Problems of what all heads, or one of them, learn from."""
    if own.data:
        yield from _fetched((*path, "data"), own.data, study)
    size = own.size or shared.size
    if own.stored and own.stored < size:
        yield Problem((*path, "stored"), own.stored, f"null, or size, which is {size}, or more")
    shipped = [file.stem for file in GROUPS.glob("*.csv")]
    if own.groups and own.groups not in shipped and not Path(own.groups).is_file():
        may = f"a CSV file, null, or {' or '.join(shipped)}"
        yield Problem((*path, "groups"), own.groups, may)


def _sizes(study: Study) -> Iterator[Problem]:
    scale = study.scale
    if scale.image and not Path(scale.image).is_file():
        yield Problem(("scale", "image"), scale.image, "a file that is there, or null for a scene")
    if not scale.image and scale.smallest > min(scale.size):
        may = f"at most the shorter side of scale.size, which is {min(scale.size)}"
        yield Problem(("scale", "smallest"), scale.smallest, may)


def _notebooks(study: Study) -> Iterator[Problem]:
    section, runs = study.notebook, study.evaluate.runs
    there = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
    for group in type(section).model_fields:
        for name, held in getattr(section, group).items():
            path = ("notebook", group, name)
            if name not in there:
                yield from _unknown(path, name, there, what="a notebook")
            elif group == "results":
                yield from _unknown(path, held, [*runs, "scale"], what="a run")
            elif group == "beyond":
                for run in (*held.sets, held.rates):
                    yield from _unknown(path, run, runs, what="a section of runs of evaluate.runs")
                for run in held.recognised:
                    yield from _unknown(path, run, study.recognition, what="a run of recognition")
                for run in held.clips:
                    yield from _unknown(path, run, study.clips, what="a run of clips")
            elif isinstance(held, list):
                for place, run in enumerate(held):
                    yield from _unknown((*path, place), run, runs, what="a run of evaluate.runs")
            else:
                yield from _values(path, held, parameters_of(NOTEBOOKS / f"{name}.ipynb"))
    for name, held in section.scenes.items():
        where, path = held.get("looked_at"), ("notebook", "scenes", name, "looked_at")
        if isinstance(where, dict) and set(where) != {"set", "image"}:
            yield Problem(path, where, "a section with set, image")
        elif isinstance(where, dict):
            what = "a set of the section findings"
            yield from _unknown((*path, "set"), where["set"], study.findings, what=what)


def _values(path: tuple, held: Mapping[str, Any], known: Mapping[str, type]) -> Iterator[Problem]:
    """Problems of the parameters of a notebook, of which each kind is known."""
    for name, value in held.items():
        yield from _unknown((*path, name), name, known, what="a parameter of the notebook")
        kind = known.get(name, object)
        is_number = kind in (int, float) and type(value) in (int, float)
        if not (isinstance(value, kind) or is_number) or (type(value) is bool and kind is not bool):
            kinds = {str: "a text", list: "a list", dict: "a section", bool: "true or false"}
            yield Problem((*path, name), value, kinds.get(kind, "a number"))


def parameters_of(notebook: Path) -> dict[str, type]:
    """Names in a notebook's `parameters` cell, and the kinds of their literals."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", ())]
    lines = ast.parse("".join(line for cell in tagged for line in cell["source"])).body
    return {
        line.targets[0].id: KINDS.get(type(line.value)) or type(line.value.value)
        for line in lines
        if isinstance(line, ast.Assign)
    }


def _rest(study: Study) -> Iterator[Problem]:
    for name, options in study.fetch.items():
        if options and name not in MADE:
            may = f"{{}}: datasets.{name} says which part of it is wanted"
            yield Problem(("fetch", name), options, may)
    for name in sorted(study.datasets.keys() - sources().keys() - study.fetch.keys()):
        for near in get_close_matches(name, sources(), n=1, cutoff=0.75):
            may = f"an image set (did you mean {near}?), or a name less like one"
            yield Problem(("datasets", name), name, may)
    for name, own in study.datasets.items():
        if name in MADE and own.model_fields_set:
            given = sorted(own.model_fields_set)[0]
            may = f"left out: the set {name} is made here, as the section fetch says"
            yield Problem(("datasets", name, given), getattr(own, given), may)
    shown = {name for group in study.notebook.model_dump().values() for name in group}
    for name, published in study.publish.items():
        yield from _unknown(("publish", name), name, study.evaluate.runs, what="a run")
        yield from _unknown(("publish", name, "picture"), published.picture, shown)
    written = [file.stem.partition("_")[2] for file in ARTICLE.glob("discussion_*.typ")]
    if study.report.discussion is not None:
        yield from _unknown(("report", "discussion"), study.report.discussion, written)
    for place, name in enumerate(study.trial.sets if study.trial else ()):
        yield from _fetched(("trial", "sets", place), name, study)
