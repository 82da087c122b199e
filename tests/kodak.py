"""The studies' parameters, and the kodak study as it is committed: tables, article's content."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import yaml
from dvc.utils.hydra import compose_and_dump
from PIL import Image
from rungs import climbed

from study.article import article
from study.params import TRIAL
from study.statistics.ladder import ladder

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "data/published/kodak"
README = (ROOT / "README.md").read_text()
GAINS = {"direct": [1.0, 2.0], "direct_energy": [0.5, 2.5], "direct_oracle": [2.0, 4.0]}
RUN = dict.fromkeys(("authors", "licence", "commit", "machine", "python", "duration"), "x")


@cache
def composed(study):
    """A study's parameters, as DVC composes them."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "params.yaml"
        compose_and_dump(target, str(ROOT / "conf"), None, "config", "", [f"study={study}"])
        return yaml.safe_load(target.read_text())


def published():
    paths = {name: PUBLISHED / f"{name}.csv" for name in article.FIGURES}
    # until the study has run with it, the ladder is one of two images
    found = {"ladder": ladder({"Two images": climbed(**GAINS)}, seed=1)}
    return found | {name: pd.read_csv(p) for name, p in paths.items() if p.exists()}


def recorded():
    """The trial of Figure 2, as `make trial` recorded it."""
    return pd.read_csv(ROOT / TRIAL, dtype={"image": str})


def content(tables, params, trial=None):
    told = {"deviations": article.deviations(README), "run": RUN}
    return article.content(tables, params, trial=recorded() if trial is None else trial, **told)


def pictures(folder):
    """A small picture in the place of each figure."""
    paths = [folder / f"{name}.png" for name in article.FIGURES]
    for path in paths:
        Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(path)
    return paths
