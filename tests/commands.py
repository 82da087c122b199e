"""What tests of the commands share: a photo and a map of it, and what a refusal looks like."""

import os
import subprocess
import sys
from pathlib import Path

from pictures import photograph, right_half
from PIL import Image

H, W = 48, 80
PHOTO, DRAWN = photograph(H, W), right_half((H, W))
CLEAR = Image.fromarray(PHOTO[::-1])
CLEAR.putalpha(100)
PROGRAM = [sys.executable, "-m", "msroi"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}


def msroi(*arguments, **options):
    """Run `msroi` in a process of its own: its exit code, stdout and stderr as text."""
    texts = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    line = [os.fspath(argument) for argument in arguments]
    return subprocess.run([*PROGRAM, *line], **{"env": ENVIRONMENT} | texts | options)


def tree(folder: Path) -> dict[Path, bytes | None]:
    """All that is in a folder, to see that nothing was touched."""
    return {p: p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


def assert_refused(result, *words):
    """Exit code 2, nothing on stdout, one line on stderr with these words."""
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and err.endswith("\n"), err
    assert err.startswith("msroi: ")
    for word in words:
        assert str(word) in err
