"""Worker processes: they end with their parent, and one that is killed stops nothing."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from commands import ENVIRONMENT, PHOTO, PROGRAM
from PIL import Image

from msroi import workers
from msroi.encoder import BudgetError
from msroi.errors import InputError
from msroi.images import read_image
from study.measure.workers import WorkerError, over_cores

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="of Linux's /proc")
SLOW = ["--method", "standard", "--ssimulacra2", "70"]  # some seconds an image


def children(parent):
    """Processes of a parent, by what Linux says; without those that only wait to be buried."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, told = stat.read_text().rsplit(") ", 1)[1].split()[:2]
        except OSError:
            continue
        if int(told) == parent and state != "Z":
            found.append(int(stat.parent.name))
    return found


def working(parent, count):
    """Wait until so many children have used some seconds, and so are at work."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        busy = [child for child in children(parent) if seconds_of(child) > 1.5]
        if len(busy) >= count:
            return busy
        time.sleep(0.05)
    raise AssertionError("no workers are at work")


def seconds_of(process):
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def alive(processes):
    return [process for process in processes if Path(f"/proc/{process}").exists()]


def gone(processes, seconds):
    """Whether processes end within some seconds."""
    deadline = time.monotonic() + seconds
    while alive(processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(processes)


@pytest.fixture
def large(here):
    names = [f"{n}.png" for n in range(6)]
    Image.fromarray(np.tile(PHOTO, (20, 20, 1))).save(names[0])  # 1.5 megapixels
    for name in names[1:]:
        Path(name).hardlink_to(names[0])
    return names


def started(names, temporary):
    return subprocess.Popen(
        [*PROGRAM, "compress", *names, "-o", "out", *SLOW, "--jobs", "2"],
        env=ENVIRONMENT | {"TMPDIR": str(temporary)},
        stdout=-1,
        stderr=-1,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent_and_leave_nothing(large, tmp_path, number):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    parent = started(large, temporary)
    working(parent.pid, 2)
    every = children(parent.pid)  # multiprocessing's own helper too
    parent.send_signal(number)
    _, err = parent.communicate(timeout=30)  # which their ends of the pipes would hold up
    assert (parent.returncode, err) == (-number, "")
    assert gone(every, seconds=5)
    written = sorted(Path("out").iterdir())
    assert len(written) < len(large)
    assert all(path.suffix == ".jpg" and read_image(path) for path in written)
    assert list(temporary.iterdir()) == []


def test_a_worker_that_is_killed_is_named_with_its_image_and_the_others_are_done(large, tmp_path):
    parent = started(large[:4], tmp_path)
    os.kill(working(parent.pid, 2)[0], signal.SIGKILL)
    out, err = parent.communicate(timeout=120)
    assert parent.returncode == 2
    first, last = err.splitlines()
    assert ".png: the process that worked on it was killed, most likely for want of memory" in first
    assert last == "msroi: 1 of 4 images could not be compressed"
    lost = first.split(": ")[1].removesuffix(".png")
    assert {path.stem for path in Path("out").iterdir()} == {"0", "1", "2", "3"} - {lost}
    assert out.splitlines()[-1].startswith("3 images: ")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_want_of_memory_is_called_that_and_the_others_are_done(here, jobs):
    Image.new("1", (9000, 9000)).save("huge.png")
    images = ["photo.png", "huge.png", "other.png"]
    line = [*PROGRAM, "compress", *images, "-o", "out", "--method", "standard", "--jobs", jobs]
    limited = ["sh", "-c", 'ulimit -v 900000; exec "$@"', "sh", *line]
    one = ENVIRONMENT | {"OPENBLAS_NUM_THREADS": "1"}  # each thread takes of the limit
    done = subprocess.run(limited, env=one, capture_output=True, text=True)
    assert done.stderr.splitlines() == [
        "msroi: huge.png: there is not enough memory: take a smaller image, or end other programs",
        "msroi: 1 of 3 images could not be compressed",
    ]
    assert sorted(path.name for path in Path("out").iterdir()) == ["other.jpg", "photo.jpg"]


def test_of_many_at_a_time_the_parent_loads_no_kernel(here):
    code = (
        "import sys\nfrom msroi.cli import main\ntry: main()\n"
        "finally: print('numba' in sys.modules)"
    )
    for name, loaded in {"2": "False", "1": "True"}.items():
        options = ["-o", "out", "--map", "map.png", "--force", "--jobs", name]
        images = ["photo.png", "other.png"]
        if name == "1":
            images = images[:1]
        else:
            options[2:4] = ["--method", "direct"]
        line = [sys.executable, "-c", code, "compress", *images, *options]
        done = subprocess.run(line, env=ENVIRONMENT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == loaded


# --- the functions ---------------------------------------------------------------------


def half(n):
    return n / 2


def variable(name):
    return os.environ.get(name)


def leave(n):
    if n == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def refuse(n):
    raise InputError(f"{n} is no good")


def outgrow(n):
    raise BudgetError(n, n)  # which pickle can't bring back


def over(function, items, jobs=2, **environment):
    killed = partial(pytest.fail, "killed")
    return workers.over(function, items, jobs=jobs, environment=environment, when_killed=killed)


def test_results_are_those_of_the_items(here):
    assert dict(over(half, range(7), jobs=3)) == {n: n / 2 for n in range(7)}
    assert list(over(half, [])) == []
    assert sorted(over_cores(half, range(5), jobs=2)) == [0, 0.5, 1, 1.5, 2]


def test_workers_start_with_variables_of_their_own():
    before = dict(os.environ)
    assert list(over(variable, ["MSROI_TEST"], MSROI_TEST="9")) == [(0, "9")]
    assert dict(os.environ) == before
    assert list(over_cores(variable, workers.THREADS, jobs=2)) == ["1"] * len(workers.THREADS)


def test_what_a_worker_raises_is_raised_with_where_it_was():
    with pytest.raises(InputError, match="1 is no good") as caught:
        list(over(refuse, [1]))
    assert "in refuse" in caught.value.__notes__[0]
    with pytest.raises(RuntimeError, match="in outgrow"):
        list(over(outgrow, [1]))


def test_workers_end_with_the_loop_over_their_results():
    results = over(half, range(100))
    next(results)
    mine = [child for child in children(os.getpid()) if "spawn_main" in command(child)]
    assert len(mine) == 2
    results.close()
    assert gone(mine, seconds=5)


def command(process):
    return Path(f"/proc/{process}/cmdline").read_text()


def test_a_killed_worker_of_the_study_names_what_it_was_at():
    with pytest.raises(WorkerError, match="at 3 was killed, most likely for want of memory"):
        list(over_cores(leave, range(6), jobs=2))


STUDY = """
import sys, time
sys.path.insert(0, sys.argv[1])
from study.measure.workers import over_cores
from test_workers import spin
if __name__ == "__main__":
    list(over_cores(spin, range(4), jobs=2))
"""


def spin(n):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_studys_workers_end_with_it_too(tmp_path, number):
    script = tmp_path / "script.py"
    script.write_text(STUDY)
    line = [sys.executable, script, str(Path(__file__).parent)]
    parent = subprocess.Popen(line, env=ENVIRONMENT)
    busy = working(parent.pid, 2)
    parent.send_signal(number)
    assert parent.wait(10) == -number
    assert gone(busy, seconds=5)
