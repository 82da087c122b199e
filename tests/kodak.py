"""The studies' parameters, and the kodak study as it is committed: tables, article's content."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import yaml
from dvc.utils.hydra import compose_and_dump
from PIL import Image

from study.article import article
from study.params import TRIAL

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "reports/published/kodak"
README = (ROOT / "README.md").read_text()
RUN = dict.fromkeys(("authors", "licence", "commit", "machine", "python", "duration"), "x")


@cache
def composed(study, *overrides):
    """A study's parameters, as DVC composes them for someone who names no image sets."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "params.yaml"
        chosen = [f"study={study}", "datasets=example", *overrides]
        compose_and_dump(target, str(ROOT / "conf"), None, "config", "", chosen)
        return yaml.safe_load(target.read_text())


def elsewhere():
    """The sample study's parameters for a folder that has no notebooks."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    return params | {"notebook": {group: {} for group in params["notebook"]}}


def published():
    names = article.tables_of(composed("kodak"))
    paths = {name: PUBLISHED / f"tables/{name}.csv" for name in names}
    return {name: pd.read_csv(path) for name, path in paths.items()}


def content(tables, params, skipped=None):
    trial = pd.read_csv(ROOT / TRIAL, dtype={"image": str})
    rows = article.deviations(README)
    told = {"trial": trial, "deviations": rows, "run": RUN, "skipped": skipped or {}}
    return article.content(tables, params, **told)


def pictures(folder):
    """A small picture in the place of each figure."""
    paths = [folder / f"{name}.png" for name in article.FIGURES]
    for path in paths:
        Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(path)
    return paths
