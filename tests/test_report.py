"""Executed notebooks, and the stages that make notebooks and report."""

import json
from io import BytesIO

import nbformat
import pandas as pd
import pypdf
import pytest

from study.article import notebooks
from study.params import StudyError, places_of
from study.stages import notebook as notebook_stage
from study.stages import report as report_stage


@pytest.fixture
def notebook(tmp_path):
    cells = [
        nbformat.v4.new_markdown_cell("# How much?\n\n$P = \\sigma(Z)$"),
        nbformat.v4.new_code_cell("number = 2  # how many", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(
            "import sys\nfrom IPython.display import Markdown\n"
            "print('a', 'bar', file=sys.stderr)\nMarkdown(f'| n |\\n|--|\\n| {number * 21} |')"
        ),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "n.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def test_a_notebook_runs_with_parameters_that_it_has_into_three_formats(notebook, tmp_path):
    executed = notebooks.execute(notebook, {"number": 3})
    notebooks.write_all(executed, tmp_path / "out")
    assert "63" in (tmp_path / "out.ipynb").read_text()
    assert "<td>63</td>" in (tmp_path / "out.html").read_text()
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ValueError, match="no parameter nombre"):
        notebooks.execute(notebook, {"nombre": 3})


def test_two_runs_of_a_notebook_give_the_same_bytes(notebook):
    first, second = (notebooks.execute(notebook, {}) for _ in range(2))
    assert nbformat.writes(first) == nbformat.writes(second)
    assert "a bar" not in nbformat.writes(first)
    assert notebooks.to_html(first, "n") == notebooks.to_html(second, "n")
    assert notebooks.to_pdf(first) == notebooks.to_pdf(second)


def test_a_widget_leaves_nothing_in_what_is_kept():
    view = {notebooks.WIDGET: {"model_id": "random"}, "text/plain": "Panel()"}
    cell = nbformat.v4.new_code_cell(
        "panel", outputs=[nbformat.v4.new_output("display_data", view)]
    )
    shown = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})
    cleaned = notebooks.clean(shown)
    assert cleaned.cells[0].outputs == [] and "widgets" not in cleaned.metadata


def test_what_was_skipped_is_counted_once_a_set_in_evaluation_and_in_training(tmp_path):
    params = {"reports": tmp_path, "models": "models", "train": {"data": "caltech256"}}
    params["train"]["heads"] = {"cam": {}, "msroi": {}}
    params["evaluate"] = {"runs": {name: {"set": "kodak"} for name in ("kodak", "rates", "sound")}}
    places = places_of(params)
    told = {places.results / "kodak.json": {"images": 22, "skipped": 2}}
    told |= {places.results / "rates.json": {"images": 1, "skipped": 1}}
    told |= {places.results / "sound.json": {"images": 24}}
    told |= {places.training / "cam/split.json": {"train": [], "skipped": ["a", "b", "c"]}}
    told |= {places.training / "msroi/split.json": {"train": []}}
    for path, content in told.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    assert report_stage._skipped(params, places) == {"Kodak PhotoCD": 2, "Caltech-256": 3}


def test_a_stage_whose_input_is_not_there_says_which(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text(
        "{study: tiny, seed: 1, reports: reports/tiny, models: models, "
        "notebook: {pictures: {mine: {}}, beyond: {}}}"
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match=r"reports/tiny/tables/.*csv is not here"):
        report_stage.report()
    with pytest.raises(StudyError, match="no notebook 'yours': choose from mine"):
        notebook_stage.notebook("yours")
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_a_table_of_many_long_rows_goes_on_over_the_pages():
    rows = [{"claim": f"row{n:03}", "reason": "a long reason " * 20} for n in range(60)]
    cell = nbformat.v4.new_markdown_cell(pd.DataFrame(rows).to_markdown(index=False))
    pdf = notebooks.to_pdf(nbformat.v4.new_notebook(cells=[cell]))
    assert len(pypdf.PdfReader(BytesIO(pdf)).pages) > 3
