"""The benchmarks' own parts: no time is asserted."""

import json
import subprocess
import sys
from pathlib import Path

import measures
import numpy as np
import pandas as pd
import pytest
from PIL import Image

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
    recorded = pd.read_csv(record)
    assert recorded["what"].tolist() == [row["what"] for row in result["rows"]]
    assert recorded["machine"].str.endswith("cores").all()
