"""Captions, executed notebooks, and the stages that make notebooks and report."""

import nbformat
import numpy as np
import pandas as pd
import pytest

from msroi.metrics.table import METRICS
from study.article import captions, notebooks
from study.params import StudyError
from study.stages import notebook as notebook_stage
from study.stages import report as report_stage


def paired(values, categories):
    return pd.DataFrame(
        {
            "image": [f"i{n}" for n in range(len(values))],
            "category": categories,
            "width": 100,
            "height": [100 * (n + 1) for n in range(len(values))],
            "method": "mosaic",
            "psnr_hvs": values,
        }
    )


def quality(gain):
    rows = [
        {"source": "ours", "set": "S", "method": method, "images": 2}
        | {name: 30 + add for name in METRICS}
        for method, add in (("standard", 0.0), ("mosaic", gain))
    ]
    return pd.DataFrame(rows)


def curve():
    """standard and direct at two sizes; direct 0.5 dB better, 1.5 dB in the salient region."""
    rows = [
        {"image": "i", "method": method, "quality": quality, "bytes": 100 * quality}
        | {"rate_bpp": quality / 100, "psnr": 30 + add, "psnr_s": 31 + 3 * add}
        for method, add in (("standard", 0.0), ("direct", 0.5))
        for quality in (20, 50)
    ]
    return pd.DataFrame(rows)


def test_the_lessons_caption_says_what_each_method_gains_over_the_sizes():
    said = captions.encoder_how_it_works(curve())
    assert "from 0.20 to 0.50 bits per pixel" in said
    assert "mean over 2 sizes" in said and "direct +0.50 dB and +1.50 dB." in said


def test_a_difference_is_written_with_its_sign_and_a_true_minus():
    assert captions.signed(0.125) == "+0.12"
    assert captions.signed(-1.3) == "−1.30"


def test_the_categories_caption_says_how_many_gain_and_which_is_worst():
    means = pd.DataFrame({"category": ["Art", "Pattern"], "mean": [0.25, -2.0], "images": [2, 1]})
    said = captions.figure5_categories(means.assign(method="mosaic"))
    assert "3 images in 2 categories" in said and "above standard in 1 of 2 categories" in said
    assert "best in Art (+0.25 dB)" in said
    assert "worst in Pattern (−2.00 dB)" in said


def test_the_sizes_caption_gives_the_range():
    said = captions.figure4_size_scaling(paired([0.5, -0.25], ["size", "size"]))
    assert "at 2 sizes from 0.01 to 0.02 megapixels" in said
    assert "from −0.25 to +0.50 dB" in said


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [(-0.5, "every mean is below standard's"), (0.5, "every mean is above standard's")],
)
def test_the_table_caption_says_what_the_numbers_say(gain, verdict):
    assert verdict in captions.table1_quality(quality(gain))


def shares(low):
    return pd.DataFrame(
        {"objects": [1, 3], "scenes": 5, "CAM": [0.9, 0.4], "MS-ROI": [0.5, 0.7]}
        | {"several": [False, True], "gain": 0.3, "low": low, "high": 0.5}
    )


@pytest.mark.parametrize(
    ("low", "verdict"), [(0.1, "more, clear of zero"), (-0.1, "not told apart from zero")]
)
def test_the_found_caption_says_whether_the_interval_is_clear_of_zero(low, verdict):
    said = captions.figure2_cam_vs_msroi(shares(low))
    assert "1 object: CAM 90%, MS-ROI 50%" in said
    assert "In the 5 scenes of 3 objects MS-ROI finds +30 percentage points" in said
    assert verdict in said


def heads():
    rows = [("MS-ROI", 0.9, np.nan, 0.7), ("CAM", 0.1, 0.8, 0.8), ("flat", 0.0, 0.9, np.nan)]
    table = pd.DataFrame(rows, columns=["map", "nss", "difference", "top-1"])
    return table.assign(low=0.5, high=1.0, images=200)


def test_the_models_caption_sets_ms_roi_against_every_other_map():
    said = captions.model_what_it_finds(heads())
    assert "MS-ROI 70.0%, CAM 80.0%" in said
    assert "on 200 photographs" in said
    assert "CAM +0.80 (+0.50 to +1.00); flat +0.90 (+0.50 to +1.00)" in said


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


def test_a_notebook_runs_with_its_parameters_into_three_formats(notebook, tmp_path):
    executed = notebooks.execute(notebook, {"number": 3})
    notebooks.write_all(executed, tmp_path / "out")
    assert "63" in (tmp_path / "out.ipynb").read_text()
    assert "<td>63</td>" in (tmp_path / "out.html").read_text()
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")


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


def test_a_parameter_that_a_notebook_lacks_is_refused(notebook):
    with pytest.raises(ValueError, match="no parameter nombre"):
        notebooks.execute(notebook, {"nombre": 3})


def test_a_stage_whose_input_is_not_there_says_which(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text(
        "{study: tiny, seed: 1, notebook: {pictures: {mine: {}}}}"
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match=r"reports/tables/.*csv is not here"):
        report_stage.report()
    with pytest.raises(StudyError, match="no notebook 'yours': choose from mine"):
        notebook_stage.notebook("yours")
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]
