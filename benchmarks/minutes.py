"""Minutes that a study takes from nothing, in a clone of the last commit.

    python benchmarks/minutes.py [sample|kodak|paper] [--record data/released/runs.csv]

The environment is this one's; what the study needs of data is taken from MSROI_DATA. With
--record the row of the study in that file, which the report shows, is written anew.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

import pandas as pd

from msroi.files import write_atomically
from study import provenance

ROOT = Path(__file__).parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", nargs="?", default="sample", choices=["sample", "kodak", "paper"])
    parser.add_argument("--folder", type=Path, help="for the clone, which then stays")
    parser.add_argument("--record", type=Path, help="a CSV file: study, minutes, machine, commit")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        clone = options.folder or Path(scratch, "clone")
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        minutes = timed(clone, options.study)
    row = {"study": options.study, "minutes": f"{minutes:.1f}"}
    row |= {"machine": provenance.processor(), "commit": provenance.commit(ROOT)}
    print(row)
    if options.record:
        record(options.record, row)


def timed(clone: Path, study: str) -> float:
    """Minutes of the whole study in a fresh clone."""
    (clone / "dvc.lock").unlink()
    command = ["dvc", "repro"]  # of the sample study, as params.yaml is
    if study != "sample":
        command = ["dvc", "exp", "run", "-S", f"study={study}"]
    start = time.monotonic()
    subprocess.run(command, cwd=clone, env=os.environ | {"PYTHONPATH": str(clone)}, check=True)
    return (time.monotonic() - start) / 60


def record(path: Path, row: dict[str, str]) -> None:
    """Put the row in the place of the study's last one."""
    rows = pd.read_csv(path, dtype=str) if path.exists() else pd.DataFrame(columns=list(row))
    others = rows[rows["study"] != row["study"]]
    kept = pd.concat([others, pd.DataFrame([row])])
    write_atomically(path, kept.to_csv(index=False, lineterminator="\n").encode())


if __name__ == "__main__":
    main()
