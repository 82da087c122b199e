"""A stage as a process: it ends with its dvc, and what a killed one leaves goes with the next."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from commands import ENVIRONMENT

from study import process

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="of POSIX processes")
STAGE = """
from study import process
process.end_with_dvc()
print("ready", flush=True)
import time
time.sleep(60)
"""
DVC = """
import os, subprocess, sys
stage = subprocess.Popen(sys.argv[1:], env=os.environ | {"DVC_STAGE": "train"})
print(stage.pid, flush=True)
stage.wait()
"""


def started(*command):
    """A process that starts a stage as DVC does, and the stage's number, once it runs."""
    dvc = subprocess.Popen(
        [sys.executable, "-c", DVC, *command], env=ENVIRONMENT, stdout=-1, text=True
    )
    told = {dvc.stdout.readline().strip(), dvc.stdout.readline().strip()}
    (number,) = told - {"ready"}
    return dvc, psutil.Process(int(number))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("shell", [(), ("bash", "-c", '"$@"; true', "bash")], ids=["", "shell"])
def test_a_stage_ends_with_the_dvc_that_started_it_through_a_shell_or_not(number, shell):
    dvc, first = started(*shell, sys.executable, "-c", STAGE)
    every = [first, *first.children(recursive=True)]
    with dvc:
        dvc.send_signal(number)
    gone, alive = psutil.wait_procs(every, timeout=10)
    assert len(gone) == len(every) and not alive


def test_a_command_that_no_dvc_started_outlives_what_started_it():
    line = [sys.executable, "-c", STAGE]
    between = subprocess.Popen(
        [sys.executable, "-c", DVC.replace('"DVC_STAGE": "train"', ""), *line],
        env=ENVIRONMENT,
        stdout=-1,
        text=True,
    )
    told = {between.stdout.readline().strip(), between.stdout.readline().strip()}
    (number,) = told - {"ready"}
    stage = psutil.Process(int(number))
    with between:
        between.kill()
    try:
        with pytest.raises(psutil.TimeoutExpired):
            stage.wait(4 * process.WATCH_SECONDS)
    finally:
        stage.kill()


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def test_temporary_files_go_at_the_end_and_those_of_the_killed_with_the_next(temporary):
    code = "from study import process; import os, tempfile\nwith process.temporary_files():\n"
    code += "    tempfile.mkdtemp(); os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT | {"TMPDIR": temporary})
    assert killed.returncode == -signal.SIGKILL
    (left,) = temporary.iterdir()
    with process.temporary_files():
        inner = Path(tempfile.gettempdir())
        assert list(temporary.iterdir()) == [inner] != [left]
        with process.temporary_files():  # another one's, at work beside it, is spared
            assert inner.is_dir()
        Path(tempfile.mkdtemp(), "file").touch()
    assert list(temporary.iterdir()) == [] and tempfile.gettempdir() == str(temporary)


def test_half_files_of_processes_that_are_gone_are_removed_and_no_others(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / "results").mkdir()
    unlike, mine, theirs = (
        tmp_path / "results" / name
        for name in (
            ".hidden.part",
            f".{os.getpid()}.{'a' * 32}.part",
            f".{ended.pid}.{'b' * 32}.part",
        )
    )
    for path in (unlike, mine, theirs):
        path.touch()
    process.remove_parts([tmp_path, tmp_path / "nowhere"])
    assert set(theirs.parent.iterdir()) == {unlike, mine}
