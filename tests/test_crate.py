"""The RO-Crate of a run: a real pipeline of two stages is run by DVC, and packed."""

import json
import shutil
import subprocess
import sys
import zipfile

import pytest
import yaml
from kodak import ROOT
from rocrate.rocrate import ROCrate

from study.params import StudyError
from study.stages.crate import BESIDE, LOCK, PROFILE, crate

STAGES = {
    "evaluate": {
        "desc": "Measure.",
        "cmd": "mkdir -p reports/results && cp seed.txt reports/results/tiny.csv",
        "deps": ["seed.txt"],
        "outs": ["reports/results/tiny.csv"],
    },
    "notebook": {
        "cmd": "mkdir -p reports/made/inner && cp seed.txt reports/made/inner/a.csv",
        "deps": ["notebooks/tiny.ipynb", "reports/results/tiny.csv"],
        "outs": ["reports/made"],
    },
    "train": {"cmd": "cp seed.txt weights.bin", "deps": ["seed.txt"], "outs": ["weights.bin"]},
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder with a pipeline that has run, and the papers that lie beside it."""
    folder = tmp_path_factory.mktemp("done")
    for path in set(BESIDE) - {LOCK}:
        shutil.copyfile(ROOT / path, folder / path)
    params = {"study": "tiny", "seed": 7, "reports": "reports", "models": "models"}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    (folder / "seed.txt").write_text("value\n7\n")
    (folder / "notebooks").mkdir()
    (folder / "notebooks/tiny.ipynb").write_text("{}")
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}))
    for command in (["init", "--no-scm"], ["repro"]):
        subprocess.run([sys.executable, "-m", "dvc", *command, "-q"], cwd=folder, check=True)
    return folder


@pytest.fixture
def run(done, tmp_path, monkeypatch):
    """A copy of it, to work in."""
    shutil.copytree(done, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    return tmp_path / "run"


def action(packed, stage):
    """What the action of a stage read and made."""
    found = packed.get(f"#{stage}")
    own = (found[key] for key in ("object", "result"))
    return tuple({each.id for each in (one if isinstance(one, list) else [one])} for one in own)


def test_a_crate_has_the_results_and_what_they_were_made_by(run):
    crate(run / "crate.zip")
    with zipfile.ZipFile(run / "crate.zip") as file:
        names = set(file.namelist())
        assert file.read("reports/made/inner/a.csv") == b"value\n7\n"
        facts = json.loads(file.read("provenance.json"))
    beside = {path.as_posix() for path in BESIDE}
    results = {"reports/results/tiny.csv", "reports/made/inner/a.csv", "notebooks/tiny.ipynb"}
    own = {"dvc.yaml", "provenance.json", "ro-crate-metadata.json"}
    assert names == beside | results | own
    assert set(facts) == {"commit", "packed on", "python"}


def test_its_metadata_say_which_stage_read_and_made_a_file(run):
    crate(run / "crate.zip")
    packed = ROCrate(run / "crate.zip")
    assert packed.name.endswith("study tiny, seed 7")
    assert packed.license.id == "https://spdx.org/licenses/MIT"
    assert packed.root_dataset["conformsTo"].id == PROFILE
    assert packed.mainEntity.id == "dvc.yaml"
    assert action(packed, "evaluate") == ({"params.yaml"}, {"reports/results/tiny.csv"})
    read = {"params.yaml", "notebooks/tiny.ipynb", "reports/results/tiny.csv"}
    assert action(packed, "notebook") == (read, {"reports/made/inner/a.csv"})
    assert packed.get("#train") is None  # nothing of it is under reports/


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.unlink(), "is not here: `dvc repro` makes it"),
        (
            lambda path: path.write_text("value\n8\n"),
            "is not what dvc.lock records: run `dvc repro`",
        ),
    ],
)
def test_results_other_than_the_locks_are_named_and_not_packed(run, change, words):
    result = run / "reports/results/tiny.csv"
    result.chmod(0o644)
    change(result)
    with pytest.raises(StudyError, match=f"reports/results/tiny.csv {words}"):
        crate(run / "crate.zip")
    assert not (run / "crate.zip").exists()
