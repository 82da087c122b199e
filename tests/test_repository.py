"""What must agree between the repository's own files."""

import json
import re
import shutil
import tomllib
from itertools import permutations
from pathlib import Path

import nbformat
import pytest
import yaml
from dvc.repo import Repo
from dvc.utils.hydra import compose_and_dump
from kodak import README, ROOT, composed

from study.article.notebooks import parameters_of
from study.stages.notebook import values
from study.training.recipe import architecture_of, recipe_of

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STUDIES = ("sample", "kodak", "beyond", "paper", "paper_from_scratch")
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


def notebooks_of(study):
    """All, but for those on other codecs where a study has none."""
    return [path for path in NOTEBOOKS if study["notebook"]["beyond"] or path.stem != "beyond_jpeg"]


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
    assert run == {path.stem for path in notebooks_of(found)}
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
def test_a_study_gives_a_notebook_only_parameters_that_it_has(study):
    study = composed(study)
    for notebook in notebooks_of(study):
        assert set(given(study, notebook)) <= parameters_of(notebook), notebook.stem


@pytest.mark.parametrize("notebook", notebooks_of(params()), ids=lambda path: path.stem)
def test_a_notebooks_defaults_are_the_sample_study(notebook):
    sample = given(params(), notebook)
    assert sample == {name: defaults(notebook)[name] for name in sample}


def data_that_notebooks_depend_on(study, folder):
    """Of each notebook, by dvc.yaml as DVC fills it with a study's parameters."""
    return {
        stage.name.partition("@")[2]: {
            dep.def_path
            for dep in stage.deps
            if dep.def_path.startswith(("reports/", "data/raw/", "models/", "msroi/weights/"))
        }
        for stage in stages_of(study, folder)
        if stage.name.startswith("notebook-")
    }


def stages_of(study, folder):
    """The stages of dvc.yaml as DVC fills it with a study's parameters."""
    folder.mkdir(exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(study))
    shutil.copyfile(ROOT / "dvc.yaml", folder / "dvc.yaml")
    with Repo.init(str(folder), no_scm=True) as repo:
        return list(repo.index.stages)


def test_no_study_writes_what_another_reads_or_writes_but_for_the_images(tmp_path):
    """Image sets are for all; the scenes and categories that a study renders it renders again."""
    written, read = {}, {}
    for study in (*STUDIES, "released", "trial"):
        stages = stages_of(composed(study), tmp_path / study)
        made = {out.def_path for stage in stages for out in stage.outs}
        written[study] = {path for path in made if not path.startswith("data/raw/")}
        read[study] = {dep.def_path for stage in stages for dep in stage.deps}
    for study, other in permutations(written, 2):
        assert not written[study] & (written[other] | read[other])
        folders = {Path(path) for path in read[other] if path.startswith(("reports", "models"))}
        assert not [path for path in written[study] if folders & {*Path(path).parents}]
    assert {"reports/report.pdf", "reports/results/scale.csv", "models/cam.onnx"} < written[
        "sample"
    ]
    assert {"reports/kodak/report.pdf", "models/kodak/cam.onnx"} < written["kodak"]


@pytest.mark.parametrize("study", STUDIES)
def test_curves_and_metrics_are_shown_of_the_study_at_hand(study, tmp_path):
    params = composed(study)
    stages_of(params, tmp_path)
    with Repo(str(tmp_path)) as repo:
        (index,) = [repo.index]
        shown = [str(path) for paths in index._metrics.values() for path in paths]
        curves = json.dumps(index._plots)
    for head in ("cam", "msroi"):
        folder = f"{params['reports']}/training/{head}"
        assert f"{folder}/metrics.json" in shown
        assert f"{folder}/plots/metrics/train_loss.tsv" in curves


@pytest.mark.parametrize("study", STUDIES)
def test_a_notebook_depends_on_the_data_that_it_reads_and_on_no_other(study, tmp_path):
    study = composed(study)
    groups, photographs = study["notebook"], {study["photographs"]}
    reports = study["reports"]
    trained = {f"{study['models']}/{head}.onnx" for head in ("cam", "msroi")}
    drawing = set(study["saliency"]["heads"].values())
    scenes = {"data/raw/scenes", f"{reports}/findings/scenes"}
    (closeup,), (finds,) = groups["scenes"].values(), groups["released"].values()
    found = {f"{finds['found']}/{name}" for name in ("caltech101", *JUDGES)}
    expected = {
        **{name: {f"{reports}/results/{run}.csv"} for name, run in groups["results"].items()},
        **{
            name: {f"{reports}/results/{run}.csv" for run in runs}
            for name, runs in groups["sets"].items()
        },
        **{name: photographs | drawing for name in groups["pictures"]},
        **{
            name: {f"{reports}/results/{run}.csv" for run in (*own["sets"], own["rates"])}
            | {f"{reports}/recognition/{run}.csv" for run in own["recognised"]}
            | {f"{reports}/clips/{run}.csv" for run in own["clips"]}
            for name, own in groups["beyond"].items()
        },
        "verdict": {f"{reports}/results/{run}.csv" for run in groups["verdict"]["verdict"]}
        | {
            f"{reports}/results/scale.csv",
            f"{reports}/findings/scenes",
            f"{reports}/tables/ladder.csv",
        },
        "figure2_cam_vs_msroi": scenes
        | trained
        | drawing
        | {f"data/raw/{closeup['looked_at']['set']}"}
        | {
            f"{reports}/findings/{name}"
            for name in (study["train"]["data"], closeup["looked_at"]["set"])
        },
        "model_what_it_finds": photographs
        | {path for path in found if "reports" in path}
        | {"msroi/weights/released.onnx"},
    }
    assert data_that_notebooks_depend_on(study, tmp_path) == expected


@pytest.mark.parametrize("study", STUDIES)
def test_where_sets_lie_is_said_once_and_is_a_parameter_of_the_stages_that_fetch_them(
    study, tmp_path
):
    shutil.copytree(ROOT / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("mine.yaml"))
    (tmp_path / "conf/datasets/mine.yaml").write_text("{kodak: {path: /mine}, cat2000: {each: 2}}")
    shutil.copyfile(ROOT / "dvc.yaml", tmp_path / "dvc.yaml")
    chosen = [f"study={study}", "datasets.cat2000.path=/other"]
    target = tmp_path / "params.yaml"
    compose_and_dump(target, str(tmp_path / "conf"), None, "config", "", chosen)
    found = yaml.safe_load(target.read_text())["datasets"]
    assert found["kodak"] == {"path": "/mine", "categories": None, "each": None}
    assert found["cat2000"] == {"path": "/other", "categories": None, "each": 2}
    with Repo.init(str(tmp_path), no_scm=True) as repo:
        fetching = [stage for stage in repo.index.stages if stage.name.startswith("fetch@")]
        for stage in fetching:
            (params,) = [dep.params for dep in stage.deps if dep.def_path == "params.yaml"]
            name = stage.name.partition("@")[2]
            assert name in found and f"datasets.{name}" in params
    assert fetching


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
