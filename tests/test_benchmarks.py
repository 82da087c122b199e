"""The benchmarks' own parts: no time is asserted."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import decoders
import kills
import measures
import numpy as np
import pandas as pd
import pytest
import rivals
import standins
from kodak import composed
from PIL import Image
from scipy.ndimage import gaussian_filter

from msroi import encode
from study.data.fetch import fetch
from study.data.part import Part
from study.data.registry import source
from study.data.sets import load

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def run(script, *arguments):
    command = [sys.executable, BENCHMARKS / script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("power", [1.0, 1.5])
def test_the_exponent_of_known_growth_is_found(power):
    pixels = np.geomspace(1e5, 7e7, 6)
    assert measures.exponent(pixels, 3e-8 * pixels**power) == pytest.approx(power)


def test_a_row_tells_whether_its_goal_is_met():
    rows = [
        measures.row("quick", [1, 2, 9], "s", at_most=2),
        measures.row("slow", [1, 2, 9], "maps/s", at_least=3),
    ]
    quick, slow = measures.table(rows).splitlines()
    assert quick.endswith("at most 2: met") and "(1–9)" in quick
    assert slow.endswith("at least 3: MISSED")


def test_jobs_take_turns_and_a_ratio_is_taken_round_by_round():
    row = measures.ratio("a by b", {"a": [2, 9, 8], "b": [1, 3, 2]}, "a", "b")
    assert (row["median"], row["least"], row["most"]) == (3, 2, 4)
    order = []
    jobs = {name: lambda name=name: order.append(name) for name in "ab"}
    assert set(measures.rounds(jobs, 3)) == {"a", "b"}
    assert order == list("ababab")


@pytest.fixture
def photo():
    noise = np.random.default_rng(3).normal(size=(120, 104, 3))
    smooth = gaussian_filter(noise, (4, 4, 0))
    return np.uint8(255 * (smooth - smooth.min()) / np.ptp(smooth))


def test_bisection_finds_the_largest_whole_quality_by_seven_files():
    tried = []

    def write(quality):
        tried.append(quality)
        return bytes(10 * quality)

    assert len(rivals.bisected(write, 639)) == 630
    assert len(tried) <= 7
    assert rivals.bisected(write, 9) == b""


def test_between_jpeglis_lies_between_the_file_that_fits_and_the_next(photo):
    budget = len(encode(photo, method="standard", quality=50))
    sizes = []

    def measure(data):
        sizes.append(len(data))
        return {"log_bytes": np.log(len(data))}

    values = rivals.between_jpeglis(photo, 50, measure)
    assert sizes[0] <= budget < sizes[1]
    assert values["log_bytes"] == pytest.approx(np.log(budget))


def test_the_quality_of_jpegli_that_reaches_a_score_is_the_smallest(photo):
    def score(quality):
        data = rivals.plain_jpegli(photo, quality)
        return rivals.metrics.ssimulacra2(photo, rivals.decode(data))

    quality = rivals.jpegli_reaching(photo, 60)
    assert score(quality) >= 60 > score(quality - 1)


def test_decoders_at_hand_agree_on_a_file_and_its_size(photo):
    found = decoders.disagreements(encode(photo), photo.shape)
    assert found["Pillow"] == 0 and {"Pillow", "simplejpeg"} <= set(found)
    assert max(found.values()) <= decoders.LUMA_TOLERANCE
    assert set(decoders.disagreements(encode(photo), (8, 8, 3)).values()) == {np.inf}


def test_kodak_shows_every_method_and_its_goals(tmp_path, photo):
    folder = tmp_path / "kodak"
    folder.mkdir()
    Image.fromarray(photo).save(folder / "kodim01.png")
    rows = tmp_path / "rows.json"
    told = run("kodak.py", "--data", tmp_path, "--qualities", 50, "--jobs", 1, "--json", rows)
    assert all(method in told for method in [*rivals.METHODS, rivals.JPEGLI_BETWEEN])
    (share,) = (row for row in json.loads(rows.read_text()) if "share of the budget" in row["what"])
    assert share["at_least"] == pytest.approx(99) and share["median"] <= 100
    told = run("kodak.py", "--data", tmp_path, "--qualities", 50, "--jobs", 1, "--decoders")
    assert "luma by simplejpeg" in told and "MISSED" not in told


def test_the_driver_tells_its_options():
    told = run("bench.py", "--help")
    assert "--parts" in told and "growth" in told


def test_the_driver_writes_one_table_and_the_machine(tmp_path):
    pytest.importorskip("pyvips")
    output = tmp_path / "bench.json"
    photo = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8)).save(photo)
    record = tmp_path / "bench.csv"
    files = ("--output", output, "--record", record)
    table = run("bench.py", "--parts", "speed", "--photos", photo, photo, *files)
    result = json.loads(output.read_text())
    assert "cores" in result["machine"] and result["packages"]["numpy"]
    assert {row["part"] for row in result["rows"]} == {"speed"}
    assert all(row["what"] in table for row in result["rows"])
    assert {"direct: quantizing", "direct: other"} <= {row["what"] for row in result["rows"]}
    recorded = pd.read_csv(record)
    assert recorded["what"].tolist() == [row["what"] for row in result["rows"]]
    assert recorded["machine"].str.endswith("cores").all()


def test_stand_ins_pass_for_the_sets_and_what_is_strange_in_those_is_left_out(tmp_path):
    standins.write_sets(tmp_path)
    found, strays = {}, {}
    for name, own in standins.paths(tmp_path).items():
        images, part = load(name, own["path"]), Part(each=own["each"])
        chosen = fetch(source(name), tmp_path / "raw" / name, source_path=own["path"], part=part)
        assert len(chosen) == len(images)
        found[name] = len(images), len(images.classes)
        strays[name] = {why: len(paths) for why, paths in images.strays.items()}
    assert found == {"caltech256": (512, 256), "cat2000": (40, 20), "kodak": (4, 0)}
    inside = "a folder inside a category"
    clutter = {"in 257.clutter, which is no class": 2}
    assert strays["caltech256"] == clutter | {inside: 1, "not an image": 1}
    assert strays["cat2000"] == {inside: 20}


def test_the_stand_ins_study_is_the_papers_on_few_and_small_images():
    """Every setting is one of the study's: an unknown key without ++ is refused."""
    small = composed("paper", *standins.SMALL)
    assert {head["recipe"]["epochs"] for head in small["train"]["heads"].values()} == {1}
    assert small["notebook"].keys() == composed("paper")["notebook"].keys()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: (folder / "made/table.csv").write_bytes(b"2\n"), "differs: made/table.csv"),
        (lambda folder: (folder / "made/table.csv").unlink(), "is missing: made/table.csv"),
        (lambda folder: (folder / ".0f.part").touch(), "is left over: .0f.part"),
        (lambda folder: (folder / "made/.new").mkdir(), "is left over: made/.new"),
        (lambda folder: (folder / "made/link").symlink_to("."), "is left over: made/link"),
    ],
)
def test_what_a_killed_pipeline_makes_otherwise_or_leaves_over_is_found(tmp_path, change, told):
    (tmp_path / "made").mkdir()
    (tmp_path / "made/table.csv").write_bytes(b"1\n")
    truth = kills.tree(tmp_path)
    assert kills.differences(truth, kills.tree(tmp_path)) == []
    change(tmp_path)
    assert kills.differences(truth, kills.tree(tmp_path)) == [told]


def test_decoded_images_have_one_name_whatever_their_times_and_no_other_file_has(tmp_path):
    (tmp_path / f"scenes.train.{'0' * 16}.npy").touch()
    truth = kills.tree(tmp_path)
    (tmp_path / f"scenes.train.{'0' * 16}.npy").rename(tmp_path / f"scenes.train.{'1' * 16}.npy")
    assert kills.tree(tmp_path) == truth
    (tmp_path / "u459j2fj").write_bytes(b"blat")  # by which Python has tried the folder
    assert kills.tree(tmp_path) == truth
    (tmp_path / f"scenes.train.{'2' * 32}.npy").touch()
    assert len(kills.differences(truth, kills.tree(tmp_path))) == 1


@pytest.mark.skipif(not Path("/proc").exists(), reason="of POSIX processes")
def test_a_process_that_lives_on_after_a_kill_is_named_and_ended():
    """Started by the one that is killed, in a session of its own, and with its variables."""
    sleep = "import time; time.sleep(60)"
    start = f"import subprocess, sys; command = [sys.executable, '-c', {sleep!r}]"
    start += "; subprocess.Popen(command, start_new_session=True); print(flush=True)"
    own = {**os.environ, kills.MARK: "this"}
    command = [sys.executable, "-c", f"{start}; {sleep}"]
    with subprocess.Popen(command, env=own, stdout=-1, start_new_session=True) as process:
        process.stdout.readline()
        kills.send(process, "SIGKILL")
        process.wait()
        (told,) = kills.living_on("this", 0.5)
    assert told.startswith("lives on: ") and told.endswith(sleep)
    assert kills.living_on("this", 5.0) == [] == kills.living_on("another", 0)


def test_kills_of_a_seed_are_the_same_ones_and_of_each_target_its_own_stages():
    names = [f"{command}@{item}" for command in kills.TARGETS[1:] for item in "ab"]
    stages = [kills.Stage(name, ("python", "-m", "study", *name.split("@")), ()) for name in names]
    first, second = (
        [kills.drawn(rng, target, stages) for target in kills.TARGETS * 60]
        for rng in (np.random.default_rng(3), np.random.default_rng(3))
    )
    assert first == second
    of_target = {target: set() for target in kills.TARGETS}
    for kill in first:
        of_target[kill.target].add(kill.stage)
    assert of_target["dvc"] == set(names)
    assert all(of_target[own] == {f"{own}@a", f"{own}@b"} for own in kills.TARGETS[1:])
    assert {kill.way for kill in first} == set(kills.WAYS)


def test_the_table_counts_faults():
    counts = {"dvc": Counter(), "train": Counter()}
    counts["dvc"].update(kills.Outcome([], [], True).kinds("SIGKILL"))
    counts["train"].update(kills.Outcome(["lives on"], ["differs"]).kinds("Ctrl-C"))
    lines = [line.split() for line in kills.table(counts).splitlines()]
    assert lines[1:] == [
        ["dvc", "1", "1", "0", "0", "1", "0", "1", "0"],
        ["train", "1", "0", "0", "1", "0", "1", "0", "0"],
        ["all", "2", "1", "0", "1", "1", "1", "1", "0"],
    ]
