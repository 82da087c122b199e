"""The border, the arrows between modules, and what each stage says that it depends on.

The arrows are import-linter's contracts in pyproject.toml; `lint-imports` holds them by itself.
"""

import ast
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import grimp
import nbformat
import pytest
import yaml

import msroi

ROOT = Path(__file__).parent.parent
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
# of the one group of notebooks that the sample study has none of
BEYOND = yaml.safe_load((ROOT / "conf/study/beyond.yaml").read_text())["notebook"]
ARTICLE = [
    *("study/article/article.typ", "study/article/layout.typ", "study/article/references.bib"),
    "study/article/discussion_kodak.typ",
]
ASSETS = {  # what a module reads beside it
    "study/data/registry.py": ["study/data/sources.toml"],
    "study/data/classes.py": ["study/data/groups/caltech256.csv"],
    "study/article/notebooks.py": ["study/article/notebook.typ"],
    "study/stages/publish.py": ["study/article/results.md", *ARTICLE],
    "study/stages/report.py": ARTICLE,
}
LAYERS = {
    contract["containers"][0]: contract["layers"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    if contract["type"] == "layers"
}


@cache
def graph():
    return grimp.build_graph("msroi", "study", cache_dir=None)


def file_of(module):
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def holds_code(file):
    """Whether a module is more than its docstring."""
    return len(ast.parse(file.read_text()).body) > 1


def closure(*modules):
    """Files of the modules, and of all that importing them loads, at once or later."""
    found, waiting = set(), set(modules)
    while waiting:
        module = waiting.pop()
        parents = {module.rsplit(".", n)[0] for n in range(1, module.count(".") + 1)}
        wanted = {module, *graph().find_upstream_modules(module), *parents}
        waiting |= wanted - found - {module}
        found |= wanted
    files = filter(holds_code, map(file_of, found))
    return {file.relative_to(ROOT).as_posix() for file in files}


def imported_by(notebook):
    """The project's modules that a notebook's cells import."""
    cells = [c.source for c in nbformat.read(notebook, 4).cells if c.cell_type == "code"]
    source = "\n".join(line for cell in cells for line in cell.splitlines() if line[:1] != "%")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ("msroi", "study"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                lazy = msroi._HOMES.get(alias.name) if node.module == "msroi" else None
                yield lazy or (inner if inner in graph().modules else node.module)


def needed(stage):
    """Files that a stage of dvc.yaml needs: of its command, and of the notebooks that it runs."""
    program, _, group = stage.partition("-")
    modules = {f"study.stages.{program}"}
    for name in (PARAMS["notebook"] | BEYOND)[group] if group else ():
        modules |= set(imported_by(ROOT / f"notebooks/{name}.ipynb"))
    files = closure(*modules)
    return files | {asset for module in files for asset in ASSETS.get(module, [])}


def listed(stage):
    """Files that the stage's deps name, or that lie in a folder that they name, of the code."""
    deps = (STAGES[stage].get("do") or STAGES[stage])["deps"]
    paths = [ROOT / dep for dep in deps if dep.startswith(("msroi/", "study/"))]
    assert [path for path in paths if not path.exists()] == []
    files = {file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))}
    code = {file for file in files if file.suffix == ".py" and holds_code(file)}
    read = {file for file in files if file.suffix in (".bib", ".csv", ".md", ".toml", ".typ")}
    return {file.relative_to(ROOT).as_posix() for file in code | read}


def test_the_contracts_of_the_arrows_are_kept():
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_all_the_code_that_it_imports_and_on_no_other(stage):
    assert sorted(needed(stage) - listed(stage)) == []  # not listed
    assert sorted(listed(stage) - needed(stage)) == []  # listed, and not imported


def test_contributing_draws_the_house_as_the_contracts_have_it():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for container, layers in LAYERS.items():
        drawing = text.split(f"\n{container}/\n")[1].split("\n\n")[0].splitlines()
        rooms = [line.split("  ")[1].strip() for line in drawing if line.startswith("  ")]
        assert rooms == [layer.replace(" | ", ", ") for layer in layers]
