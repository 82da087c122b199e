"""What must agree between the repository's own files."""

import re
import shutil
import tomllib

import nbformat
import pytest
import yaml
from dvc.repo import Repo
from kodak import README, ROOT, composed

from study.article.notebooks import parameters_of
from study.stages.notebook import values
from study.training.recipe import architecture_of, recipe_of

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STUDIES = ("sample", "kodak", "paper")
CONDA_NAMES = {"pytorch": "torch"}
JUDGES = ("osie", "mit1003", "ecssd", "coco")  # sets that say what is true


def pyproject_dependencies():
    """Of the tool and of the study beside it, with what developers need."""
    tool, study = (
        tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        for folder in ("", "study")
    )
    listed = [*tool["dependencies"], *study["dependencies"], *study["optional-dependencies"]["dev"]]
    return set(listed) - {tool["name"]}


def params():
    return yaml.safe_load((ROOT / "params.yaml").read_text())


def given(study, notebook):
    """What a study gives a notebook."""
    return values(notebook.stem, study, takes=parameters_of(notebook))


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


def test_params_are_what_the_sample_study_composes():
    assert params() == composed("sample")


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_has_every_section_that_the_stages_read(study):
    found = composed(study)
    assert set(found) == set(params())
    assert found["study"] == study
    run = {name for group in found["notebook"].values() for name in group}
    assert run == {path.stem for path in NOTEBOOKS}
    runs, methods = found["evaluate"]["runs"].values(), found["evaluate"]["methods"]
    assert {run["set"] for run in runs} <= set(found["fetch"])
    assert {run["methods"] for run in runs} <= set(methods)
    assert found["train"]["data"] in found["fetch"]


@pytest.mark.parametrize("study", [*STUDIES, "released"])
def test_a_study_trains_by_a_recipe_and_an_architecture(study):
    section = composed(study)["train"]
    for head in ("cam", "msroi"):
        assert recipe_of(head, section, seed=1).epochs >= 1
        assert architecture_of(head, section, classes=("any",)).head == head


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_study_gives_a_notebook_only_parameters_that_it_has(study, notebook):
    assert set(given(composed(study), notebook)) <= parameters_of(notebook)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebooks_defaults_are_the_sample_study(notebook):
    sample = given(params(), notebook)
    assert sample == {name: defaults(notebook)[name] for name in sample}


def data_that_notebooks_depend_on(study, folder):
    """Of each notebook, by dvc.yaml as DVC fills it with a study's parameters."""
    (folder / "params.yaml").write_text(yaml.safe_dump(study))
    shutil.copyfile(ROOT / "dvc.yaml", folder / "dvc.yaml")
    with Repo.init(str(folder), no_scm=True) as repo:
        stages = [stage for stage in repo.index.stages if stage.name.startswith("notebook-")]
        return {
            stage.name.partition("@")[2]: {
                dep.def_path
                for dep in stage.deps
                if dep.def_path.startswith(("reports/", "data/raw/", "models/", "msroi/weights/"))
            }
            for stage in stages
        }


@pytest.mark.parametrize("study", STUDIES)
def test_a_notebook_depends_on_the_data_that_it_reads_and_on_no_other(study, tmp_path):
    study = composed(study)
    groups, photographs = study["notebook"], {study["photographs"]}
    trained = {f"models/{head}.onnx" for head in ("cam", "msroi")}
    drawing = set(study["saliency"]["heads"].values())
    scenes = {"data/raw/scenes", "reports/findings/scenes"}
    (closeup,), (finds,) = groups["scenes"].values(), groups["released"].values()
    found = {f"{finds['found']}/{name}" for name in ("caltech101", *JUDGES)}
    expected = {
        **{name: {f"reports/results/{run}.csv"} for name, run in groups["results"].items()},
        **{
            name: {f"reports/results/{run}.csv" for run in runs}
            for name, runs in groups["sets"].items()
        },
        **{name: photographs | drawing for name in groups["pictures"]},
        "verdict": {f"reports/results/{run}.csv" for run in groups["verdict"]["verdict"]}
        | {"reports/results/scale.csv", "reports/findings/scenes", "reports/tables/ladder.csv"},
        "figure2_cam_vs_msroi": scenes
        | trained
        | drawing
        | {f"data/raw/{closeup['looked_at']['set']}"}
        | {
            f"reports/findings/{name}"
            for name in (study["train"]["data"], closeup["looked_at"]["set"])
        },
        "model_what_it_finds": photographs
        | {path for path in found if "reports" in path}
        | {"msroi/weights/released.onnx"},
    }
    assert data_that_notebooks_depend_on(study, tmp_path) == expected


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
    table = README.partition("## Deviations from the paper")[2]
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
