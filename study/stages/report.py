"""The article: `python -m study report`."""

import platform
from pathlib import Path

from msroi.files import write_atomically
from study import provenance
from study.params import FIGURES, REPORT, TABLES, TRIAL, StudyError, read_params

README, CITATION = Path("README.md"), Path("CITATION.cff")


def report() -> None:
    """Typeset the article from the notebooks' figures and tables; writes reports/report.pdf."""
    import pandas as pd

    from study.article import article

    params = read_params()
    try:
        found = {name: pd.read_csv(TABLES / f"{name}.csv") for name in article.FIGURES}
    except FileNotFoundError as error:
        raise StudyError(f"{error.filename} is not here: `dvc repro` makes it") from error
    rows, run = article.deviations(README.read_text()), _facts(params["study"])
    tried = pd.read_csv(TRIAL, dtype={"image": str})
    content = article.content(found, params, trial=tried, deviations=rows, run=run)
    pdf = article.typeset(content, [FIGURES / f"{name}.png" for name in article.FIGURES])
    write_atomically(REPORT, pdf)


def _facts(study: str) -> dict[str, str]:
    """What the article says of this run, and of the software."""
    import yaml

    citation = yaml.safe_load(CITATION.read_text())
    return {
        "authors": ", ".join(provenance.authors(citation)),
        "licence": citation["license"],
        "commit": provenance.commit(),
        "machine": provenance.machine(),
        "python": platform.python_version(),
        "duration": provenance.duration(study),
    }
