"""The checkpoint that ships with the package, and what is said of it."""

import os
import re
from pathlib import Path

import pandas as pd
import pytest

from msroi import load_model, saliency_map
from msroi.images import read_pixels
from msroi.model import HEADS, WEIGHTS
from study.data.classes import split
from study.data.sets import load
from study.data.truths import points
from study.measure import findings
from study.training.trainer import load_examples, predict

ROOT = Path(__file__).parent.parent
RECORDED = ROOT / "data/released"
DATA = os.environ.get("MSROI_DATA")


def by_head(name):
    table = pd.read_csv(RECORDED / name / "heads.csv", dtype={"image": str})
    return dict(iter(table.groupby("head" if "head" in table else "map")))


def test_both_heads_take_12_megabytes_at_most_and_share_their_features():
    assert {path.stem for path in WEIGHTS.iterdir()} == set(HEADS)
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) <= 12e6
    first, second = (load_model(head=head).features.state_dict() for head in HEADS)
    assert all((first[name] == second[name]).all() for name in first)


@pytest.mark.parametrize("head", HEADS)
def test_a_released_head_says_how_it_was_made(head):
    told = load_model(head=head).metadata
    assert told["data"] == "caltech101"
    assert told["epochs"][-1] == told["result"]
    assert len(told["epochs"]) == told["recipe"]["epochs"]
    assert re.fullmatch(r"[0-9a-f]{40}", told["commit"])
    assert re.fullmatch(r"[0-9a-f]{64}", told["split_sha256"])


def test_the_model_cards_table_is_that_of_the_recorded_findings():
    card = (ROOT / "docs/model_card.md").read_text()
    looked, named = by_head("osie"), by_head("caltech101")
    for head, rows in looked.items():
        cells = [rows[measure].mean() for measure in ("nss", "auc_judd", "cc")]
        if head in named:
            cells = [findings.top_1(named[head]), named[head]["average_precision"].mean(), *cells]
        line = next(line for line in card.splitlines() if line.startswith(f"| {head} |"))
        numbers = [float(cell) for cell in re.findall(r"−?\d+\.\d+", line.replace("−", "-"))]
        assert numbers == pytest.approx(cells, abs=5.1e-4)


@pytest.mark.skipif(not DATA, reason="needs MSROI_DATA, a folder with caltech101/")
@pytest.mark.parametrize("title", ["CAM", "MS-ROI"])
def test_the_released_files_reach_the_recorded_accuracy(title):
    model = load_model(head=title.lower().replace("-", ""))
    images = load("caltech101", Path(DATA) / "caltech101")
    told = model.metadata
    names = split(images, validation=told["validation"], seed=told["seed"])["validation"]
    examples = load_examples(images.select(names[::8]), told["size"])
    accuracy = (predict(model, examples.images).argmax(1).numpy() == examples.labels).mean()
    assert accuracy == pytest.approx(findings.top_1(by_head("caltech101")[title]), abs=0.08)


@pytest.mark.skipif(not DATA, reason="needs MSROI_DATA, a folder with osie/")
def test_a_recorded_agreement_is_what_the_released_files_give():
    images = load("osie", Path(DATA) / "osie")
    recorded = by_head("osie")["MS-ROI"].set_index("image")
    model = load_model()
    for item in images.items[:3]:
        saliency = saliency_map(read_pixels(item.path, upright=images.upright), model)
        scored = findings.nss(saliency, points(item))
        assert scored == pytest.approx(recorded.loc[item.name, "nss"], abs=1e-3)


def test_the_released_map_prefers_the_astronauts_face():
    from skimage.data import astronaut

    saliency = saliency_map(astronaut(), load_model())
    assert saliency[60:180, 170:280].mean() > saliency.mean() + 0.2
