"""The border, the arrows between modules, and what each stage says that it depends on.

The arrows are import-linter's contracts in pyproject.toml; `lint-imports` holds them by itself.
"""

import ast
import tomllib
from functools import cache
from pathlib import Path

import grimp
import nbformat
import pytest
import yaml
from importlinter.cli import lint_imports

import msroi

ROOT = Path(__file__).parent.parent
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
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


def holds_code(module):
    """Whether a module is more than its docstring."""
    return len(ast.parse(file_of(module).read_text()).body) > 1


def closure(*modules):
    """Files of the modules, and of all that importing them loads, at once or later."""
    found, waiting = set(), set(modules)
    while waiting:
        module = waiting.pop()
        parents = {module.rsplit(".", n)[0] for n in range(1, module.count(".") + 1)}
        wanted = {module, *graph().find_upstream_modules(module), *filter(holds_code, parents)}
        waiting |= wanted - found - {module}
        found |= wanted
    return {file_of(module).relative_to(ROOT).as_posix() for module in filter(holds_code, found)}


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


def notebooks_of(stage):
    """The notebooks that a stage of dvc.yaml runs, where it runs any."""
    listed = STAGES[stage].get("foreach", [])
    names = yaml.safe_load((ROOT / "params.yaml").read_text())["notebook"]
    return [ROOT / f"notebooks/{name}.ipynb" for name in (names if listed else [])]


def needed(stage):
    command = (STAGES[stage].get("do") or STAGES[stage])["cmd"].split()
    program = command[command.index("study") + 1]
    modules = {f"study.stages.{program}"}
    if program == "notebook":
        modules |= {module for path in notebooks_of(stage) for module in imported_by(path)}
    return closure(*modules)


def listed(stage):
    """Files of code that the stage's deps name, or that lie in a folder that they name."""
    deps = (STAGES[stage].get("do") or STAGES[stage])["deps"]
    paths = [ROOT / dep for dep in deps if dep.split("/")[0] in ("msroi", "study")]
    assert all(path.exists() for path in paths), deps
    files = {file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))}
    code = {file for file in files if file.suffix == ".py"}
    return {
        file.relative_to(ROOT).as_posix()
        for file in code
        if len(ast.parse(file.read_text()).body) > 1
    }


def test_the_contracts_of_the_arrows_are_kept(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0, capsys.readouterr().out


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
