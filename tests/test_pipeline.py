"""The whole pipeline in a temporary clone at tiny parameters, every notebook among it."""

import csv
import sys

import pypdf
import pytest
import yaml
from clone import ROOT, run, write_clone

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pipeline")]  # it runs once


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone with smaller parameters, in which everything has run."""
    folder = tmp_path_factory.mktemp("clone")
    write_clone(folder)
    run(folder, "dvc", "repro")
    return folder


def test_every_notebook_comes_in_three_formats(clone):
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    for name in notebooks - {"beyond_jpeg"}:  # which this study has no results for
        for suffix, beginning in (
            (".ipynb", b"{"),
            (".html", b"<!DOCTYPE html>"),
            (".pdf", b"%PDF"),
        ):
            made = clone / f"reports/notebooks/{name}{suffix}"
            assert made.read_bytes().startswith(beginning)


def test_the_report_is_a_short_pdf_and_the_results_keep_to_their_budget(clone):
    assert len(pypdf.PdfReader(clone / "reports/report.pdf").pages) <= 12
    params = yaml.safe_load((clone / "params.yaml").read_text())
    sets = params["evaluate"]["methods"]
    methods = {"categories": len(sets["few"]), "scale": len(sets["main"])}
    for name, images in (("categories", 20), ("scale", 2)):
        with (clone / f"reports/results/{name}.csv").open(newline="") as file:
            table = list(csv.DictReader(file))
        assert len(table) == images * methods[name]
        assert all(int(row["bytes"]) <= int(row["budget_bytes"]) for row in table)


def test_a_second_run_has_nothing_to_do(clone):
    assert "Data and pipelines are up to date." in run(clone, "dvc", "repro")
    assert run(clone, "git", "status", "--porcelain") == "?? dvc.lock\n"


def test_the_lock_is_of_other_code_once_a_module_has_changed(clone):
    run(clone, sys.executable, "-m", "study.lock")
    with (clone / "msroi/encoder/mosaic.py").open("a") as module:
        module.write("# new\n")
    with pytest.raises(AssertionError, match=r"(?s)scale: msroi/encoder\n.*lock is of other code"):
        run(clone, sys.executable, "-m", "study.lock")
    run(clone, "git", "checkout", "msroi")


def test_metrics_show_heads_and_methods(clone):
    shown = run(clone, "dvc", "metrics", "show", "--md")
    for word in ("validation_accuracy", "mosaic.psnr_hvs", "standard.ssim"):
        assert word in shown


def test_a_stage_that_fails_leaves_no_output_behind(clone):
    """A truncated image in the set: the stage stops, names it, and the old table is gone."""
    victim = clone / "data/raw/categories/Art/001.png"
    whole = victim.read_bytes()
    victim.write_bytes(whole[: len(whole) // 2])
    try:
        with pytest.raises(AssertionError, match=r"Art/001\.png"):
            run(clone, "dvc", "repro", "--single-item", "evaluate@categories")
        assert not (clone / "reports/results/categories.csv").exists()
    finally:
        victim.write_bytes(whole)
