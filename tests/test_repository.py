"""What must agree between the repository's own files."""

import re
import tomllib
from pathlib import Path

import nbformat
import papermill
import pytest
import yaml
from dvc.utils.hydra import compose_and_dump

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STUDIES = sorted(path.stem for path in (ROOT / "conf/study").glob("*.yaml"))
CONDA_NAMES = {"pytorch": "torch"}


def pyproject_dependencies():
    """Of the tool and of the study beside it, with what developers need."""
    tool, study = (
        tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        for folder in ("", "study")
    )
    listed = [*tool["dependencies"], *study["dependencies"], *study["optional-dependencies"]["dev"]]
    return set(listed) - {tool["name"]}


def composed(study, tmp_path):
    target = tmp_path / "params.yaml"
    compose_and_dump(target, str(ROOT / "conf"), None, "config", "", [f"study={study}"])
    return yaml.safe_load(target.read_text())


def params():
    return yaml.safe_load((ROOT / "params.yaml").read_text())


def defaults(notebook):
    """Values of the notebook's `parameters` cell."""
    (cell,) = [
        c for c in nbformat.read(notebook, 4).cells if "parameters" in c.metadata.get("tags", [])
    ]
    values = {}
    exec(cell.source, values)
    return {name: value for name, value in values.items() if name != "__builtins__"}


def test_conda_lists_the_dependencies_of_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (by_pip,) = [entry["pip"] for entry in environment if isinstance(entry, dict)]
    listed = [entry for entry in environment if isinstance(entry, str)] + by_pip
    renamed = {re.sub(r"^\w+", lambda m: CONDA_NAMES.get(m[0], m[0]), entry) for entry in listed}
    own = {"python>=3.11.4", "pip", "--editable .", "--editable ./study"}
    assert renamed - own == pyproject_dependencies()


def test_every_dependency_has_an_exact_version_in_the_constraints():
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    names = {re.match(r"[\w-]+", entry)[0].lower() for entry in pyproject_dependencies()}
    assert {name.replace("_", "-") for name in names} <= pinned


def test_params_are_what_the_sample_study_composes(tmp_path):
    assert params() == composed("sample", tmp_path)


@pytest.mark.parametrize("study", ["sample", "kodak", "paper"])
def test_a_study_has_every_section_that_the_stages_read(study, tmp_path):
    values = composed(study, tmp_path)
    assert set(values) == set(params())
    assert values["study"] == study
    assert set(values["notebook"]) == {path.stem for path in NOTEBOOKS}
    assert {run["set"] for run in values["evaluate"]["runs"].values()} <= set(values["fetch"])
    assert values["train"]["data"] in values["fetch"]


@pytest.mark.parametrize("study", ["sample", "kodak", "paper"])
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_study_gives_a_notebook_only_parameters_that_it_has(study, notebook, tmp_path):
    given = composed(study, tmp_path)["notebook"][notebook.stem]
    assert set(given) <= set(papermill.inspect_notebook(str(notebook)))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebooks_defaults_are_the_sample_study(notebook):
    given = params()["notebook"][notebook.stem]
    assert given == {name: defaults(notebook)[name] for name in given}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs_and_with_short_cells(notebook):
    for cell in nbformat.read(notebook, 4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 15
            assert not re.search(r"^(def|class) ", cell.source, re.MULTILINE)


def test_every_deviation_of_the_readme_is_a_note_at_the_code_and_none_else():
    """The two are told together by the table's second column, whose words the note repeats."""
    table = (ROOT / "README.md").read_text().partition("## Deviations from the paper")[2]
    lines = [line for line in table.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    problems = [line.split("|")[2].strip() for line in lines[2:]]
    sources = [
        path.read_text() for room in ("msroi", "study") for path in (ROOT / room).rglob("*.py")
    ]
    found = [note for text in sources for note in text.split("Deviation: ")[1:]]
    notes = [" ".join(note.partition("\n\n")[0].split()) for note in found]
    assert len(notes) == len(problems)
    for problem in problems:
        assert sum(problem in note for note in notes) == 1, problem
