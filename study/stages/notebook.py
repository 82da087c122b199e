"""A notebook, run: `python -m study notebook`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from study.data.registry import title_of
from study.params import HEAD_NAMES, NOTEBOOKS, StudyError, places_of, read_params


def notebook(name: Annotated[str, typer.Argument(help="A notebook of notebooks/.")]) -> None:
    """Run a notebook with its parameters; writes it as .ipynb, .html and .pdf to notebooks/.

    Its parameters are those of notebook.<group>.<name> in params.yaml, of reports, models,
    photographs, saliency and evaluate those that it has, and whose heads count the objects of
    scenes. The notebook itself saves its figure to figures/ and its table to tables/. All three are
    folders of the study's reports.
    """
    from study.article import notebooks

    params, source = read_params(), NOTEBOOKS / f"{name}.ipynb"
    known = [name for group in params["notebook"].values() for name in group]
    if name not in known or not source.exists():
        raise StudyError(f"the study has no notebook {name!r}: choose from {', '.join(known)}")
    places = places_of(params)
    for folder in (places.executed, places.figures, places.tables):
        folder.mkdir(parents=True, exist_ok=True)
    given = values(name, params, takes=notebooks.parameters_of(source))
    notebooks.write_all(notebooks.execute(source, given), places.executed / name)


def values(name: str, params: Mapping[str, Any], *, takes: set[str]) -> dict[str, Any]:
    """What a study gives a notebook that ``takes`` parameters of these names."""
    from study.article import heads

    groups, runs = params["notebook"], params["evaluate"]["runs"]
    shared = {
        "reports": params["reports"],
        "own": {head: f"{params['models']}/{head}.onnx" for head in HEAD_NAMES},
        "heads_of_scenes": heads.of_findings("scenes", params),
        "photographs": params["photographs"],
        "quality": params["evaluate"]["quality"],
        "methods": params["evaluate"]["methods"]["main"],
        **params["saliency"],
    }
    given = {key: value for key, value in shared.items() if key in takes}
    if name in groups["results"]:
        table = places_of(params).results / f"{groups['results'][name]}.csv"
        return given | {"results": str(table)}
    compared = groups["sets"] | groups["verdict"]
    if name in compared:
        return given | {"sets": {run: title_of(runs[run]) for run in compared[name]}}
    if name in groups["beyond"]:
        own = groups["beyond"][name]
        titles = {run: title_of(runs[run]) for run in own["sets"]}
        named = {run: title_of(params["recognition"][run]) for run in own["recognised"]}
        return given | {**own, "sets": titles, "recognised": named}
    own = groups["pictures"] | groups["scenes"] | groups["released"]
    return given | own[name]
