"""The network that ships with the package, and what is said of it."""

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from networks import network

from msroi import load_model, saliency_map
from msroi.images import read_pixels
from msroi.model import save_checkpoint
from msroi.network import HEADS, RELEASED, SHARED, Cells, checksum
from study.data.classes import split
from study.data.sets import load
from study.data.truths import points
from study.measure import findings
from study.stages.release import release

ROOT = Path(__file__).parent.parent
RECORDED = ROOT / "data/released"
DATA = os.environ.get("MSROI_DATA")


def by_head(name):
    table = pd.read_csv(RECORDED / name / "heads.csv", dtype={"image": str})
    return dict(iter(table.groupby("head" if "head" in table else "map")))


def test_one_file_of_12_megabytes_at_most_has_both_heads_on_the_same_features():
    assert [path.name for path in RELEASED.parent.iterdir()] == [RELEASED.name]
    assert RELEASED.stat().st_size <= 12e6
    views = [name for name in Cells._fields if name not in SHARED]
    outputs = [output.name for output in onnx.load(RELEASED).graph.output]
    assert sorted(outputs) == sorted([f"{h}_{view}" for h in HEADS for view in views] + [*SHARED])
    first, second = (load_model(head=head) for head in HEADS)
    assert (first.head, second.head) == HEADS
    assert first.classes == second.classes
    pixels = np.random.default_rng(0).random((1, 3, 64, 96), np.float32)
    for name in SHARED:
        np.testing.assert_array_equal(
            getattr(first(pixels), name), getattr(second(pixels), name), err_msg=name
        )


@pytest.mark.parametrize("head", HEADS)
def test_a_released_head_says_how_it_was_made(head):
    model = load_model(head=head)
    told = model.trained
    assert told["data"] == "caltech101"
    assert len(model.classes) == 101
    assert told["epochs"][-1] == told["result"]
    assert len(told["epochs"]) == told["recipe"]["epochs"]
    assert re.fullmatch(r"[0-9a-f]{64}", told["split_sha256"])
    assert re.fullmatch(r"[0-9a-f]{40}", model.metadata["commit"])
    for source in ("EfficientNet-Lite0", "Apache-2.0", "Caltech-101", "CC BY 4.0"):
        assert source in model.metadata["sources"]


def test_the_released_file_holds_its_own_weights_and_no_code():
    """What a user's file is refused for: it passes the same checks by its path."""
    assert load_model(RELEASED).metadata == load_model().metadata
    assert checksum(RELEASED) == checksum("released")
    model = onnx.load(RELEASED, load_external_data=False)
    assert {opset.domain for opset in model.opset_import} == {""}
    assert len(model.functions) == 0
    onnx.checker.check_model(model)


def test_the_model_cards_table_is_that_of_the_recorded_findings():
    card = (ROOT / "docs/model_card.md").read_text()
    looked, named = by_head("osie"), by_head("caltech101")
    people, objects = by_head("mit1003"), {name: by_head(name) for name in ("ecssd", "coco")}
    cuts = pd.read_csv(RECORDED / "ecssd/curves.csv").groupby("map")["f"].max()
    for head, rows in looked.items():
        cells = [rows[measure].mean() for measure in ("nss", "auc_judd", "cc")]
        cells += [people[head]["nss"].mean(), objects["ecssd"][head]["auc"].mean(), cuts[head]]
        cells += [objects["coco"][head]["auc"].mean()]
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
    told = model.trained
    names = split(images, validation=told["validation"], seed=told["seed"])["validation"]
    shown = images.select(names[::8])
    labels = np.array([item.label for item in shown])
    accuracy = (findings.logits(shown, model).argmax(1) == labels).mean()
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


def test_the_released_map_marks_the_rocket_and_not_the_sky_nor_the_masts():
    from skimage.data import rocket

    saliency = saliency_map(rocket(), load_model())
    assert saliency[140:400, 305:335].mean() > 0.35
    assert saliency[:100].mean() < 0.1
    assert saliency[:, :80].mean() < 0.2


def test_the_stage_puts_both_heads_in_one_file_with_all_that_training_recorded(
    tmp_path, monkeypatch
):
    """Of tiny heads, in a repository of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("msroi.network.RELEASED", tmp_path / "weights/released.onnx")
    Path("params.yaml").write_text("{reports: reports, models: models}")
    Path("models").mkdir()
    for head in HEADS:
        save_checkpoint(network(head), f"models/{head}.safetensors", {"size": 64, "seed": 7})
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "a"], check=True)
    release()
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()
    pixels = np.random.default_rng(0).random((1, 3, 64, 64), np.float32)
    for head in HEADS:
        model = load_model(head=head)
        assert model.trained == {"size": 64, "seed": 7}
        assert model.metadata["commit"] == commit
        assert "Caltech-101" in model.metadata["sources"]
        with torch.inference_mode():
            maps = network(head)(torch.from_numpy(pixels))[0]
        np.testing.assert_allclose(model(pixels).maps, maps, atol=0.01)
    weights = onnx.load("weights/released.onnx").graph.initializer
    assert any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in weights)
