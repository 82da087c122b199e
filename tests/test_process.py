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
import tempfile, time
process.end_with_dvc()
with process.temporary_files():
    tempfile.mkdtemp()
    print("ready", flush=True)
    time.sleep(60)
"""
DVC = """
import os, subprocess, sys
stage = subprocess.Popen(sys.argv[1:], env=os.environ | {"DVC_STAGE": "train"})
print(stage.pid, flush=True)
stage.wait()
"""


def started(*command, temporary):
    """A process that starts a stage as DVC does, and the stage, once it runs."""
    own = ENVIRONMENT | {"TMPDIR": str(temporary)}
    dvc = subprocess.Popen([sys.executable, "-c", DVC, *command], env=own, stdout=-1, text=True)
    told = {dvc.stdout.readline().strip(), dvc.stdout.readline().strip()}
    (number,) = told - {"ready"}
    return dvc, psutil.Process(int(number))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("shell", [(), ("bash", "-c", '"$@"; true', "bash")], ids=["", "shell"])
def test_a_stage_ends_with_the_dvc_that_started_it_and_leaves_nothing(tmp_path, number, shell):
    dvc, first = started(*shell, sys.executable, "-c", STAGE, temporary=tmp_path)
    every = [first, *first.children(recursive=True)]
    with dvc:
        dvc.send_signal(number)
    gone, alive = psutil.wait_procs(every, timeout=10)
    assert len(gone) == len(every) and not alive
    assert list(tmp_path.iterdir()) == []


def test_a_stage_whose_dvc_was_gone_before_it_looked_ends_as_well():
    late = STAGE.replace("process.end", "input(); process.end")
    dvc = subprocess.Popen(
        [sys.executable, "-c", DVC, sys.executable, "-c", late],
        env=ENVIRONMENT,
        stdin=-1,
        stdout=-1,
        text=True,
        start_new_session=True,
    )
    stage = psutil.Process(int(dvc.stdout.readline()))
    dvc.kill()
    dvc.wait()
    if stage.ppid() != 1:
        pytest.skip("orphans are taken over by another process than the system's first")
    dvc.communicate("\n", timeout=10)  # its end of the output is the stage's too
    psutil.wait_procs([stage], timeout=10)
    assert not stage.is_running()


def test_a_command_that_no_dvc_started_outlives_what_started_it(tmp_path):
    unknown = f"import os; del os.environ['DVC_STAGE']\n{STAGE}"
    other, stage = started(sys.executable, "-c", unknown, temporary=tmp_path)
    with other:
        other.kill()
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


KILLED = """
import os, tempfile
from study import process
with process.temporary_files():
    tempfile.mkdtemp()
    os.kill(os.getpid(), 9)
"""


def test_temporary_files_go_at_the_end_and_those_of_the_killed_with_the_next(temporary):
    killed = subprocess.run([sys.executable, "-c", KILLED], env=ENVIRONMENT | {"TMPDIR": temporary})
    assert killed.returncode == -signal.SIGKILL
    assert len(list(temporary.iterdir())) == 1
    process.remove_remains([])
    assert list(temporary.iterdir()) == []
    with process.temporary_files():
        assert list(temporary.iterdir()) == [Path(tempfile.gettempdir())]
        Path(tempfile.mkdtemp(), "file").touch()
    assert list(temporary.iterdir()) == [] and tempfile.gettempdir() == str(temporary)


def test_nothing_of_a_stage_that_is_at_work_is_removed_nor_what_no_stage_has_left(
    temporary, tmp_path
):
    half, other = tmp_path / "results" / f".{'0f' * 16}.part", tmp_path / "results/.other.part"
    half.parent.mkdir()
    half.touch()
    other.touch()
    with process.temporary_files():
        own = Path(tempfile.mkdtemp())
        os.environ["TMPDIR"], tempfile.tempdir = str(temporary), None  # as another stage has it
        process.remove_remains([tmp_path, tmp_path / "nowhere"])
        assert own.is_dir() and half.exists() and other.exists()
    process.remove_remains([tmp_path, tmp_path / "nowhere"])
    assert not half.exists() and other.exists()
