"""The kodak study as it is committed: its parameters and its tables, and its article's content."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from dvc.utils.hydra import compose_and_dump
from PIL import Image

from study.article import article

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "data/published/kodak"
README = (ROOT / "README.md").read_text()
RUN = dict.fromkeys(("authors", "licence", "commit", "machine", "python", "duration"), "x")


def composed(folder):
    """The study's parameters, as DVC composes them."""
    target = folder / "params.yaml"
    compose_and_dump(target, str(ROOT / "conf"), None, "config", "", ["study=kodak"])
    return yaml.safe_load(target.read_text())


def published():
    return {name: pd.read_csv(PUBLISHED / f"{name}.csv") for name in article.FIGURES}


def content(tables, params):
    return article.content(tables, params, deviations=article.deviations(README), run=RUN)


def pictures(folder):
    """A small picture in the place of each figure."""
    paths = [folder / f"{name}.png" for name in article.FIGURES]
    for path in paths:
        Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(path)
    return paths
