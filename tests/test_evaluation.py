"""Encoders × images → one tidy table, on one core, several, or a cluster."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from kodak import elsewhere
from networks import alive, exported, network
from pictures import centred, right_half
from PIL import Image

from msroi import metrics, saliency
from msroi.encoder import encode
from msroi.errors import ArgumentError
from msroi.images import decode, luma
from msroi.network import HEADS, load_model
from msroi.saliency import (
    StaleMapError,
    centre_prior,
    energy_map,
    flat_map,
    named_maps,
    network_map,
    unit,
)
from study.data.sets import load
from study.measure import evaluation, workers
from study.measure.evaluation import EvaluationError, evaluate
from study.measure.journal import Journal
from study.params import StudyError
from study.rendered import scenes
from study.stages.evaluate import evaluate as evaluate_stage

ROOT = Path(__file__).parent.parent
METHODS = {"standard": {}, "mosaic": {"levels": 5, "q_low": 30, "q_high": 70}}
IMAGES = 8
CSV = Path("reports/results/mine.csv")
PARTIAL = Path("reports/partial/mine.jsonl")
seen = []


def recorded(image):
    """A map that keeps count of those made in this process."""
    seen.append(image)
    return centred(image)


OWN = {"MS-ROI": centred}


def killing(image):
    """A map whose first maker, of all processes, is killed."""
    try:
        Path(os.environ["MSROI_TEST_VICTIM"]).touch(exist_ok=False)
    except FileExistsError:
        return centred(image)
    os.kill(os.getpid(), signal.SIGKILL)


RECORDED, KILLING = {"MS-ROI": recorded}, {"MS-ROI": killing}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study of one set, with a network as it is before training."""
    folder = tmp_path_factory.mktemp("study")
    for index in range(IMAGES):
        picture = scenes.render(192, 192 + 8 * index, objects=["mug"], seed=index).image
        path = folder / f"data/raw/mine/{'ab'[index % 2]}/{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    exported(folder / "small.onnx", *(alive(network(head)) for head in HEADS))
    run = {"heads": dict.fromkeys(HEADS, "small.onnx"), "methods": "main"}
    params = elsewhere()
    params["fetch"] |= {"mine": {}, "none": {}}
    params["saliency"]["rule"] = {"select": "topk", "k": 2}
    params["evaluate"] = {
        "quality": 50,
        "methods": {"main": {**METHODS, "direct": {}}},
        "runs": {name: run | {"set": name} for name in ("mine", "none")},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    return folder


@pytest.fixture(scope="module")
def images(folder):
    return load("mine", folder / "data/raw/mine")


@pytest.fixture(scope="module")
def table(images):
    """All images by both methods, evaluated in this process."""
    return evaluate(images, OWN, methods=METHODS, jobs=1)


@pytest.fixture
def here(folder, monkeypatch):
    """In the study's folder, with one core and nothing made yet."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    for path in (CSV, CSV.with_suffix(".json"), PARTIAL):
        path.unlink(missing_ok=True)
    params = (folder / "params.yaml").read_text()
    yield folder
    (folder / "params.yaml").write_text(params)
    (folder / "data/raw/mine/a/broken.png").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def unbroken(folder):
    """The stage's table, made by one process from beginning to end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("LOKY_MAX_CPU_COUNT", "1")
        evaluate_stage("mine")
        return CSV.read_bytes()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    from distributed import LocalCluster

    victim = tmp_path_factory.mktemp("cluster") / "victim"
    with (
        pytest.MonkeyPatch.context() as patch,
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            env={"MSROI_TEST_VICTIM": str(victim), "PYTHONPATH": str(ROOT)},
        ) as cluster,
    ):
        patch.setenv("MSROI_TEST_VICTIM", str(victim))
        yield cluster


def stage(folder, cores):
    """The real command, as DVC calls it, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "LOKY_MAX_CPU_COUNT": str(cores)}
    command = [sys.executable, "-m", "study", "evaluate", "mine"]
    return subprocess.Popen(
        command, cwd=folder, env=environment, start_new_session=True, stderr=subprocess.PIPE
    )


def evaluated():
    """How many images the journal in the current folder holds."""
    return len(Journal(PARTIAL).read())


def test_a_row_is_what_encoding_and_measuring_by_hand_give_at_each_quality(image):
    rows = evaluation.evaluate_image(image, OWN, methods=METHODS, qualities=(30, 70))
    assert [row["method"] for row in rows] == [*METHODS, *METHODS]
    for standard, row, quality in ((*rows[:2], 30), (*rows[2:], 70)):
        budget = len(encode(image, method="standard", quality=quality))
        assert standard["quality"] == quality
        assert standard["bytes"] == standard["budget_bytes"] == budget
        data = encode(image, centred(image), method="mosaic", quality=quality)
        assert row["bytes"] == len(data) <= row["budget_bytes"] == budget
        assert row["psnr"] == metrics.psnr(luma(image), luma(decode(data)))
        assert row["psnr_s"] == metrics.psnr_s(luma(image), luma(decode(data)), centred(image))
        assert row["ssimulacra2"] == metrics.ssimulacra2(image, decode(data))
        assert row["salient_share"] == metrics.salient_region(centred(image)).mean()


def test_a_row_without_a_salient_pixel_says_so(image):
    (row,) = evaluation.evaluate_image(image, {"MS-ROI": flat_map}, methods={"standard": {}})
    assert row["salient_share"] == 0 and np.isnan(row["psnr_s"])


def test_a_row_may_have_another_name_and_map_and_a_larger_budget(image):
    methods = {"direct": {}, "halved": {"method": "direct", "map": "half"}}
    methods |= {"mosaic": {}, "more": {"method": "mosaic", "budget": 1.05}}
    half = right_half(image.shape[:2])
    maps = OWN | {"half": lambda image: half}
    own, other, usual, more = evaluation.evaluate_image(image, maps, methods=methods)
    assert other["method"] == "halved"
    assert other["bytes"] == len(encode(image, half))
    assert own["psnr_s"] > other["psnr_s"]  # of both over the pixels of MS-ROI's map
    assert usual["bytes"] <= usual["budget_bytes"] < more["bytes"] <= 1.05 * usual["budget_bytes"]
    assert more["budget_bytes"] == usual["budget_bytes"]


def test_what_is_known_of_an_image_weighs_its_error(image):
    weights = centred(image)
    (row,) = evaluation.evaluate_image(
        image, OWN, methods={"standard": {}}, truths={"psnr_fix": weights}
    )
    x, y = luma(image), luma(decode(encode(image, method="standard")))
    assert row["psnr_fix"] == metrics.psnr_weighted(x, y, weights)


def test_the_map_called_truth_is_what_is_known_of_the_image_stretched(image):
    weights = right_half(image.shape[:2]) * 3e-6 + 1e-6  # as small as a density's
    methods = {"led": {"method": "direct", "map": "truth"}, "direct": {}}
    led, _ = evaluation.evaluate_image(
        image, OWN, methods=methods, truths={"psnr_fix": weights.astype(np.float32)}
    )
    budget = led["budget_bytes"]
    expected = encode(image, right_half(image.shape[:2]), method="direct", max_bytes=budget)
    assert led["bytes"] == len(expected)
    assert led["psnr"] == metrics.psnr(luma(image), luma(decode(expected)))


def test_weights_that_are_equal_everywhere_stretch_to_a_map_of_nothing():
    np.testing.assert_array_equal(evaluation.stretch(np.full((3, 4), 0.2)), np.zeros((3, 4)))


def test_a_set_without_truths_is_refused_before_work_where_a_method_follows_the_truth(images):
    methods = {"standard": {}, "oracle": {"method": "direct", "map": "truth"}}
    seen.clear()
    with pytest.raises(StudyError, match="oracle follows the truth, and mine has no fixations"):
        evaluate(images, RECORDED, methods=methods, jobs=1)
    assert seen == []


def test_a_set_at_half_size_is_that_of_the_cells_means(tmp_path):
    image = scenes.render(200, 216, objects=["mug"], seed=2).image
    Image.fromarray(image).save(tmp_path / "one.png")
    table, _ = evaluate(load("mine", tmp_path), OWN, methods={"standard": {}}, scale=0.5, jobs=1)
    half = image.reshape(100, 2, 108, 2, 3).mean((1, 3))
    row = table.iloc[0]
    assert (row["width"], row["height"]) == (108, 100)
    assert row["bytes"] == len(encode(np.floor(half + 0.5).astype(np.uint8), method="standard"))


def test_any_other_scale_resizes_to_the_nearest_side_and_keeps_weights_in_their_range(image):
    mask = right_half((90, 121))
    weights = evaluation.scaled(mask, 0.75)
    assert weights.shape == (68, 91)  # 67.5 and 90.75
    assert (weights.min(), weights.max()) == (0, 1)
    assert weights.mean() == pytest.approx(mask.mean(), abs=0.01)
    small = evaluation.scaled(image, 0.75)
    assert small.dtype == np.uint8
    np.testing.assert_array_equal(small, evaluation.resize(image, small.shape[:2]))
    np.testing.assert_array_equal(evaluation.scaled(image, 1), image)


@pytest.mark.parametrize("scale", [0, -1, 1.5])
def test_a_scale_that_is_none_is_told(images, scale):
    with pytest.raises(StudyError, match="give one above 0 and at most 1"):
        evaluate(images, OWN, methods=METHODS, scale=scale, jobs=1)


def test_scenes_are_measured_over_their_true_objects(tmp_path):
    scenes.write_set(
        tmp_path, train=10, train_size=(32, 32), test_per_count=1, test_size=(64, 64), seed=3
    )
    images = load("scenes", tmp_path, subset="test")
    table, _ = evaluate(images, OWN, methods={"standard": {}}, jobs=1)
    assert tuple(table.columns) == (*evaluation.COLUMNS, "psnr_objects")
    item, row = images[0], table.iloc[0]
    image, mask = np.array(Image.open(item.path)), np.array(Image.open(item.objects)) > 0
    error = luma(decode(encode(image, method="standard"))).astype(int) - luma(image)
    assert row["psnr_objects"] == pytest.approx(10 * np.log10(255**2 / (error[mask] ** 2).mean()))


def test_sizes_run_from_the_whole_image_to_the_smallest():
    sizes = evaluation.sizes((800, 1600), count=3, smallest=200)
    assert sizes == [(800, 1600), (400, 800), (200, 400)]


def test_the_table_has_a_row_for_each_image_and_method_in_the_sets_order(images, table):
    table, broken = table
    assert tuple(table.columns) == evaluation.COLUMNS
    assert list(table["image"].unique()) == [item.name for item in images]
    assert list(table["method"]) == list(METHODS) * IMAGES
    assert (table["bytes"] <= table["budget_bytes"]).all()
    assert table.notna().all(axis=None)
    assert broken == {}


def test_a_map_does_not_depend_on_the_number_of_threads(folder, image, monkeypatch):
    saliency_of = network_map(folder / "small.onnx", short_sides=[128, 200])
    maps = []
    for threads in (1, 2, 4):
        monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
        saliency._network.cache_clear()
        maps.append(saliency_of(image).tobytes())
    assert len(set(maps)) == 1


def test_what_the_journal_holds_is_not_evaluated_again(images, table, tmp_path):
    journal = Journal(tmp_path / "mine.jsonl")
    few = images.select(["a/0", "b/1"])
    evaluate(few, RECORDED, methods=METHODS, jobs=1, journal=journal)
    seen.clear()
    both = evaluate(images, RECORDED, methods=METHODS, jobs=1, journal=journal)
    assert len(seen) == IMAGES - 2
    pd.testing.assert_frame_equal(both.table, table.table)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"qualities": [51]}, "1"),
        ({"methods": dict(reversed(METHODS.items()))}, "1"),
        ({"methods": METHODS | {"mosaic": {"levels": 4}}}, "1"),
        ({"maps": OWN}, "1"),
        ({}, "2"),
    ],
)
def test_rows_that_were_made_otherwise_are_not_taken(images, tmp_path, monkeypatch, change, code):
    few, options = images.select(["a/0"]), {"maps": RECORDED, "methods": METHODS}
    journal = Journal(tmp_path / "mine.jsonl")
    monkeypatch.setattr(evaluation, "code_version", lambda: "1")
    evaluate(few, jobs=1, journal=journal, **options)
    monkeypatch.setattr(evaluation, "code_version", lambda: code)
    evaluate(few, jobs=1, journal=journal, **options | change)
    assert len(journal.read()) == 2


def test_rows_of_another_picture_of_that_name_are_not_taken(images, tmp_path):
    path = tmp_path / "set/one.png"
    path.parent.mkdir()
    journal = Journal(tmp_path / "mine.jsonl")
    for item in images[0], images[2]:
        path.write_bytes(item.path.read_bytes())
        evaluate(load("new", path.parent), OWN, methods=METHODS, jobs=1, journal=journal)
    assert len(journal.read()) == 2


def test_a_rows_code_is_what_the_stage_evaluate_depends_on(tmp_path):
    code = {str(path.relative_to(ROOT)) for path in evaluation.code_files()}
    used = "msroi/network.py msroi/encoder/trellis.py study/measure/evaluation.py"
    assert code.issuperset(used.split())
    assert not any(path.startswith(("study/article", "study/training", "data")) for path in code)
    assert {Path(path).suffix for path in code} == {".py", ".toml"}  # of sources.toml the sigmas
    with pytest.raises(StudyError, match=r"dvc\.yaml is not here"):
        evaluation.code_files(tmp_path)


def test_the_named_maps_are_those_of_the_heads_a_product_and_three_controls(folder, image):
    path = folder / "small.onnx"
    maps = named_maps({"MS-ROI": (path, "msroi"), "CAM": (path, "cam")}, select="topk", k=1)
    product = unit(maps["MS-ROI"](image) * centre_prior(image))
    assert list(maps) == ["MS-ROI", "CAM", "MS-ROI × centre", "energy", "centre prior", "flat"]
    np.testing.assert_array_equal(maps["MS-ROI × centre"](image), product)
    expected = energy_map(image, load_model(path))
    np.testing.assert_allclose(maps["energy"](image), expected, atol=1e-5)
    np.testing.assert_array_equal(maps["centre prior"](image), centre_prior(image))


def test_the_weights_of_a_network_decide_and_not_its_name(folder, image, tmp_path):
    path = tmp_path / "small.onnx"
    path.write_bytes((folder / "small.onnx").read_bytes())
    old = network_map(path)
    exported(path, network("cam"))
    assert network_map(path).keywords["checksum"] != old.keywords["checksum"]
    saliency._network.cache_clear()  # as in a process that has not loaded it
    with pytest.raises(StaleMapError, match="has changed"):
        old(image)


def test_a_worker_of_another_version_is_refused(images, monkeypatch):
    versions = iter("12")
    monkeypatch.setattr(evaluation, "code_version", lambda: next(versions))
    with pytest.raises(EvaluationError, match="another version"):
        evaluate(images, OWN, methods=METHODS, jobs=1)


def test_an_image_that_does_not_fit_its_budget_is_named_too(tmp_path):
    ramp = np.add.outer(np.arange(192), np.arange(192)) // 2
    Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / "ramp.png")  # the mosaic adds edges
    methods = {"mosaic": {"levels": 5, "q_low": 1, "q_high": 30}}
    table, broken = evaluate(load("mine", tmp_path), OWN, methods=methods, qualities=[1], jobs=1)
    assert len(table) == 0
    assert "ramp.png: a budget of" in broken["ramp"]


def test_the_stage_killed_and_run_again_gives_the_same_bytes_on_any_cores(here, unbroken):
    moment = random.Random(2017)
    wanted = moment.randrange(1, IMAGES // 2)
    with stage(here, cores=2) as killed:
        while evaluated() < wanted and killed.poll() is None:
            time.sleep(0.01)
        time.sleep(0.1 * moment.random())
        killed.send_signal(signal.SIGKILL)
        assert killed.wait() == -signal.SIGKILL
    kept = evaluated()
    assert wanted <= kept < IMAGES
    assert not CSV.exists()

    with stage(here, cores=1) as again:
        _, told = again.communicate()
    assert again.returncode == 0, told
    assert f"mine: {kept} of {IMAGES} images are done already" in told.decode()
    assert CSV.read_bytes() == unbroken
    assert not PARTIAL.exists()


def test_a_broken_image_is_named_at_the_end_and_the_others_are_kept(here, monkeypatch, unbroken):
    picture = here / "data/raw/mine/a/broken.png"
    picture.write_bytes((here / "data/raw/mine/a/0.png").read_bytes()[:5000])
    with pytest.raises(StudyError, match=rf"1 of {IMAGES + 1} .*a/broken\.png.*skip"):
        evaluate_stage("mine")
    assert not CSV.exists()
    assert evaluated() == IMAGES
    picture.unlink()
    monkeypatch.setattr(evaluation, "evaluate_image", None)  # there is nothing left to do
    evaluate_stage("mine")
    assert CSV.read_bytes() == unbroken


def test_broken_images_are_skipped_where_params_say_so_but_not_all_of_a_set(here, capsys, unbroken):
    params = yaml.safe_load(Path("params.yaml").read_text()) | {"broken": "skip"}
    Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    Path("data/raw/none").mkdir()
    for broken in ("mine/a/broken.png", "none/broken.png"):
        Path("data/raw", broken).write_bytes(b"\x89PNG")
    evaluate_stage("mine")
    assert "a/broken.png" in capsys.readouterr().err
    assert CSV.read_bytes() == unbroken
    assert json.loads(CSV.with_suffix(".json").read_text())["skipped"] == 1
    with pytest.raises(StudyError, match="1 of 1 images"):
        evaluate_stage("none")


def test_a_cluster_gives_the_same_bytes(here, cluster, monkeypatch, unbroken):
    monkeypatch.setenv("MSROI_DASK", cluster.scheduler_address)
    evaluate_stage("mine")
    assert CSV.read_bytes() == unbroken


def test_a_worker_of_a_cluster_that_is_killed_loses_nothing(images, table, cluster):
    found, broken = evaluate(images, KILLING, methods=METHODS, scheduler=cluster.scheduler_address)
    assert Path(os.environ["MSROI_TEST_VICTIM"]).exists()
    assert broken == {}
    pd.testing.assert_frame_equal(found, table.table)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere://x"])
def test_a_scheduler_that_does_not_answer_is_told_in_one_line(here, monkeypatch, address):
    monkeypatch.setattr(workers, "CONNECT_SECONDS", 0.2)
    monkeypatch.setenv("MSROI_DASK", address)
    with pytest.raises(workers.ClusterError, match=f"no Dask scheduler answers at {address}"):
        evaluate_stage("mine")


def test_a_scheduler_without_workers_is_told(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(workers, "WORKERS_SECONDS", 0.1)
    with (
        LocalCluster(n_workers=0, dashboard_address=":0") as cluster,
        pytest.raises(workers.ClusterError, match="has no workers"),
    ):
        list(workers.over_cluster(str, [1], address=cluster.scheduler_address))


def test_a_cluster_without_distributed_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(workers.ClusterError, match="pip install distributed"):
        list(workers.over_cluster(str, [1], address="tcp://127.0.0.1:9"))


def test_an_evaluation_by_an_unknown_method_ends_before_the_first_image(monkeypatch, tmp_path):
    section = {
        "methods": {"both": {"standard": {}, "jpeg": {}}},
        "runs": {"kodak": {"set": "kodak", "methods": "both"}, "rates": {"methods": "all"}},
    }
    params = {"reports": "reports", "models": "models", "evaluate": section}
    (tmp_path / "params.yaml").write_text(json.dumps(params))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match="unknown method 'jpeg'"):
        evaluate_stage("kodak")
    with pytest.raises(StudyError, match=r"no evaluate\.runs\.osie: choose from kodak, rates"):
        evaluate_stage("osie")
    with pytest.raises(StudyError, match=r"no evaluate\.methods\.all: choose from both"):
        evaluate_stage("rates")
