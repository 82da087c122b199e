"""A small share of `make fuzz`: damaged inputs of a fixed seed, none of which breaks anything."""

import subprocess
import sys

import fuzz
import mutants
import numpy as np
import pytest

SHARES = {"images": 25, "parameters": 10, "names": 25, "models": 1, "archives": 150}


@pytest.fixture(autouse=True)
def no_data_of_the_users_own(monkeypatch):
    monkeypatch.delenv("MSROI_DATA", raising=False)


@pytest.mark.parametrize("part", SHARES)
def test_damaged_inputs_end_in_an_output_or_a_sentence(part):
    refused, faults = fuzz.faults_of(part, SHARES[part], seed=1)
    assert [(case.name, case.fault) for case in faults] == []
    assert refused or part == "names"


def test_the_same_seed_gives_the_same_damage_and_most_files_differ_from_the_sound_one():
    sound = mutants.images()["colour.png"]
    damaged = [mutants.mutant(sound, np.random.default_rng(n), [sound]) for n in range(100)]
    again = [mutants.mutant(sound, np.random.default_rng(n), [sound]) for n in range(100)]
    assert damaged == again
    assert len(set(damaged)) > 80


PHOTOGRAPH = mutants.images()["colour.png"]
BREAKS = {  # a program in msroi's place, which breaks what must hold: what is told of it
    "raise KeyError": "ended by 1",
    "print('libpng warning', file=sys.stderr)": "said 'libpng warning'",
    "": "has neither an output nor an error",
    "Path(out, '.half.part').touch()": "left .half.part",
    "Path(out, 'a.jpg').touch()": "became a file that is broken",
    "Path(source).write_bytes(b'')": "was changed",
    "time.sleep(60)": "took more than",
}


@pytest.mark.parametrize("program", BREAKS)
def test_whatever_must_not_be_is_found(program, monkeypatch):
    head = "import sys, time; from pathlib import Path; source, _, out = sys.argv[4:7]; "
    run = subprocess.run

    def instead(command, **options):
        assert command[1:4] == ["-m", "msroi", "compress"]
        return run([sys.executable, "-c", head + program, *command[1:]], **options)

    monkeypatch.setattr(fuzz.subprocess, "run", instead)
    monkeypatch.setattr(fuzz, "SECONDS", 1 if "sleep" in program else 60)
    (case,) = fuzz._compressed([("a.png", PHOTOGRAPH)])
    assert BREAKS[program] in case.fault


def test_an_archive_that_leaves_a_file_or_hangs_is_found(monkeypatch, tmp_path):
    def leave(entry, target):
        (target.parent.parent / "left").touch()
        target.mkdir()

    def hang(entry, target):
        while True:
            pass

    monkeypatch.setattr(fuzz, "SECONDS", 1)
    for number, (instead, told) in enumerate([(leave, "left ["), (hang, "Hang: took more than")]):
        monkeypatch.setattr(fuzz, "fetch", instead)
        assert told in fuzz._fetched("a.zip", b"", tmp_path / str(number)).fault
