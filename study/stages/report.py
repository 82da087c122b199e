"""The article: `python -m study report`."""

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msroi.files import write_atomically
from study import provenance
from study.data.registry import source, title_of
from study.params import TRIAL, Places, StudyError, as_json, places_of, read_params

README, CITATION = Path("README.md"), Path("CITATION.cff")


def report() -> None:
    """Typeset the article from the notebooks' figures and tables; writes reports/report.pdf.

    All that it says beside the words of its template goes to reports/report.json.
    """
    import pandas as pd

    from study.article import article

    params = read_params()
    places = places_of(params)
    try:
        found = {
            name: pd.read_csv(places.tables / f"{name}.csv") for name in article.tables_of(params)
        }
        skipped = _skipped(params, places)
    except FileNotFoundError as error:
        raise StudyError(f"{error.filename} is not here: `dvc repro` makes it") from error
    rows, run = article.deviations(README.read_text()), _facts(params)
    tried = pd.read_csv(TRIAL, dtype={"image": str})
    content = article.content(found, params, trial=tried, deviations=rows, run=run, skipped=skipped)
    figures = [places.figures / f"{name}.png" for name in article.figures_of(params)]
    pdf = article.typeset(content, figures)
    write_atomically(article.said_beside(places.article), as_json(content))
    write_atomically(places.article, pdf)


def _skipped(params: Mapping[str, Any], places: Places) -> dict[str, int]:
    """How many images of each set, by its title, were left out as broken, where there were."""
    runs, data = params["evaluate"]["runs"], source(params["train"]["data"]).title
    counts = [
        (title_of(run), _read(places.results / f"{name}.json").get("skipped", 0))
        for name, run in runs.items()
    ]
    for head in params["train"]["heads"]:
        split = _read(places.training / head / "split.json")
        counts.append((data, len(split.get("skipped", ()))))
    most = {}
    for title, count in counts:  # of runs over the same images, the one that has them all
        most[title] = max(count, most.get(title, 0))
    return {title: count for title, count in most.items() if count}


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def _facts(params: Mapping[str, Any]) -> dict[str, str]:
    """What the article says of this run, and of the software."""
    import yaml

    own = provenance.changed(params)
    citation = yaml.safe_load(CITATION.read_text())
    return {
        "authors": ", ".join(provenance.authors(citation)),
        "licence": citation["license"],
        "commit": provenance.commit() + (f", other than conf/ in {', '.join(own)}" if own else ""),
        "machine": provenance.machine(),
        "python": platform.python_version(),
        "duration": provenance.duration(params["study"]),
    }
