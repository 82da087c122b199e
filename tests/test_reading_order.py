"""The page that `make lab` opens: where to begin, and what comes after."""

import json
import math
import re

import nbformat
from kodak import ROOT

FOLDER = ROOT / "notebooks"
PAGE = (FOLDER / "README.md").read_text()
LINE = re.compile(r"^(\d+)\. \[(.+)\]\((\w+)\.ipynb\) (\d+) minutes\. (.+\.)$", re.MULTILINE)
ENTRIES = LINE.findall(PAGE)


def cells(name):
    """A notebook's texts, and its code."""
    found = nbformat.read(FOLDER / f"{name}.ipynb", 4).cells
    return tuple(
        [cell.source for cell in found if cell.cell_type == kind] for kind in ("markdown", "code")
    )


def test_every_notebook_has_its_place_in_the_order_and_a_line():
    assert [int(number) for number, *_ in ENTRIES] == list(range(1, len(ENTRIES) + 1))
    names = [name for _, _, name, *_ in ENTRIES]
    assert sorted(names) == sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def test_a_notebook_is_called_by_its_own_title():
    for _, title, name, *_ in ENTRIES:
        texts, _ = cells(name)
        assert texts[0].splitlines()[0] == f"# {title}"


def test_the_minutes_are_those_of_its_words_and_lines():
    assert "100 words or 20 lines of code a minute, rounded up to five" in PAGE
    for _, _, name, minutes, _ in ENTRIES:
        texts, code = cells(name)
        words = sum(len(text.split()) for text in texts)
        lines = sum(len(source.splitlines()) for source in code)
        assert int(minutes) == 5 * math.ceil((words / 100 + lines / 20) / 5), name


def test_make_lab_opens_the_page_as_a_page():
    (lab,) = re.findall(r"^lab:.*\n\t(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    settings = re.search(r"app_settings_dir=(\S+) notebooks/README\.md$", lab)[1]
    shown = json.loads((ROOT / settings / "overrides.json").read_text())
    viewers = shown["@jupyterlab/docmanager-extension:plugin"]["defaultViewers"]
    assert viewers["markdown"] == "Markdown Preview"
    # JupyterLab opens nothing above its root, and two of the page's links lead there
    assert "--ServerApp.root_dir=$(CURDIR) " in lab
