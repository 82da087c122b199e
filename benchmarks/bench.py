"""All benchmarks in one run: one table, and reports/bench.json with the machine beside it.

    python benchmarks/bench.py [--image PHOTO] [--model released] [--parts speed maps …]

Each part runs in a process of its own, one after the other; it can be run alone too.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pandas as pd
from measures import Row, table

from msroi.files import write_atomically
from study import provenance

FOLDER = Path(__file__).parent
PACKAGES = {
    *("jpeglib", "mozjpeg-lossless-optimization", "numba", "numpy", "onnxruntime", "pillow"),
    *("psnr-hvsm", "pyjpegli", "pyvips", "pyvips-binary", "scipy", "sewar", "ssimulacra2"),
    "torch",
}
COLUMNS = ["part", "what", "median", "least", "most", "unit", "machine"]  # of what is recorded
SAMPLE = Path("data/raw/sample/motorcycle.png")
# part → what of the driver's options it takes
PARTS = {
    "speed": ("photos",),
    "metrics": (),
    "maps": (),
    "workers": ("model",),
    "large": ("model",),
    "growth": ("image", "model"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", type=Path, default=SAMPLE, help=f"a photo ({SAMPLE})")
    parser.add_argument("--model", default="released", help="a network (.onnx), or 'released'")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--output", type=Path, default=Path("reports/bench.json"))
    parser.add_argument("--record", type=Path, help="a CSV file whose rows of these parts to renew")
    parser.add_argument("--photos", type=Path, nargs="+", help="of about Kodak's size, for speed")
    options = parser.parse_args()
    result = {"started": datetime.now(UTC).isoformat(timespec="seconds"), **_circumstances()}
    result["rows"] = [row for part in options.parts for row in _run(part, options)]
    print(f"\n{provenance.processor()}; median (range)")
    print(table(result["rows"]))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(options.output, json.dumps(result, indent=1, ensure_ascii=False).encode())
    if options.record:
        rows = pd.DataFrame(result["rows"]).assign(machine=provenance.processor())[COLUMNS]
        if options.record.exists():
            kept = pd.read_csv(options.record)
            rows = pd.concat([kept[~kept["part"].isin(options.parts)], rows])
        write_atomically(options.record, rows.to_csv(index=False, float_format="%.4g").encode())


def _circumstances() -> dict[str, Any]:
    """The machine and how busy it is, the versions that decide a time, the code's commit."""
    return {
        "machine": provenance.machine(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_average": list(os.getloadavg()),
        "python": platform.python_version(),
        "packages": {
            package.name: package.version
            for package in distributions()
            if package.name.lower().replace("_", "-") in PACKAGES
        },
        "commit": provenance.commit(FOLDER.parent),
    }


def _run(part: str, options: argparse.Namespace) -> list[Row]:
    """The rows of one part, which it shows itself as they come."""
    print(f"\n{part}", flush=True)
    given = [word for name in PARTS[part] for word in _words(name, getattr(options, name))]
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder, "rows.json")
        command = [sys.executable, str(FOLDER / f"{part}.py"), "--json", str(rows), *given]
        subprocess.run(command, check=True)
        return [{"part": part, **row} for row in json.loads(rows.read_text())]


def _words(name: str, value: Any) -> list[str]:
    """An option as the command line has it: nothing where it was not given."""
    if value is None:
        return []
    return [f"--{name}", *map(str, value if isinstance(value, list) else [value])]


if __name__ == "__main__":
    main()
