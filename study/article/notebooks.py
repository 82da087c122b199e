"""Runs a notebook with papermill and writes it in three formats, equal runs as equal bytes."""

import tempfile
from collections.abc import Mapping
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pypandoc
import typst
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from msroi.files import write_atomically

WIDGET = "application/vnd.jupyter.widget-view+json"  # has random ids, and is dead on paper


def execute(source: Path, parameters: Mapping[str, Any]) -> NotebookNode:
    """Run a notebook in its own folder, as JupyterLab would, with values for its `parameters` cell.

    ValueError for a parameter that is none of the notebook's (papermill itself only warns), and
    PapermillExecutionError where a cell fails.
    """
    known = parameters_of(source)
    if unknown := set(parameters) - known:
        raise ValueError(
            f"{source} has no parameter {', '.join(sorted(unknown))}; it takes {sorted(known)}"
        )
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / source.name
        papermill.execute_notebook(
            source,
            target,
            parameters=dict(parameters),
            cwd=source.parent,
            progress_bar=False,
            shutdown_kernel="immediate",  # for nbclient: after Ctrl-C nothing waits for a cell
        )
        return clean(nbformat.read(target, as_version=4))


def parameters_of(source: Path) -> set[str]:
    """Names in the notebook's `parameters` cell."""
    return set(papermill.inspect_notebook(source))


def clean(notebook: NotebookNode) -> NotebookNode:
    """A copy without what differs between equal runs: times, random ids, widgets, progress bars."""
    notebook = deepcopy(notebook)
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)  # their state, and below their places
    notebook.metadata.get("language_info", {}).pop("version", None)
    for index, cell in enumerate(notebook.cells):
        cell.id = f"cell-{index}"
        for key in ("papermill", "execution"):  # the times of papermill and of nbclient
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = [
                out
                for out in cell.outputs
                if out.get("name") != "stderr" and WIDGET not in out.get("data", {})
            ]
    return notebook


def write_all(notebook: NotebookNode, target: Path) -> None:
    """Write ``target`` with the endings .ipynb, .html and .pdf, each atomically."""
    write_atomically(target.with_suffix(".ipynb"), nbformat.writes(notebook).encode())
    write_atomically(target.with_suffix(".html"), to_html(notebook, target.stem).encode())
    write_atomically(target.with_suffix(".pdf"), to_pdf(notebook))


def to_html(notebook: NotebookNode, title: str) -> str:
    """One self-contained page (nbconvert's default template)."""
    resources = {"metadata": {"name": title}}
    return HTMLExporter().from_notebook_node(notebook, resources)[0]


def to_pdf(notebook: NotebookNode) -> bytes:
    """PDF by way of Typst: pandoc translates the notebook, Typst sets it."""
    preamble = (files("study.article") / "notebook.typ").read_text()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "notebook.typ"
        source.write_text(preamble + to_typst(notebook, Path(folder)))
        return typst.compile(source, root=folder)


def to_typst(notebook: NotebookNode, folder: Path) -> str:
    """The notebook in Typst's language, its pictures as files in ``folder``/media.

    pandoc works in its sandbox: it reads no file, and fetches nothing that a text links. Columns of
    tables are as wide as Typst makes them; of lines longer than ``--columns`` pandoc itself would.
    """
    cells = nbformat.writes(_markdown_outputs_as_cells(notebook))
    own = ["--extract-media", "media", "--sandbox", "--columns", "100000"]
    return pypandoc.convert_text(
        cells, "typst", format="ipynb", extra_args=own, cworkdir=str(folder)
    )


def _markdown_outputs_as_cells(notebook: NotebookNode) -> NotebookNode:
    """pandoc shows an output that is Markdown as an object's name, but a cell as text."""
    shown = deepcopy(notebook)
    cells, shown.cells = shown.cells, []
    for cell in cells:
        markdown = [o for o in cell.get("outputs", []) if "text/markdown" in o.get("data", {})]
        if markdown:
            cell.outputs = [output for output in cell.outputs if output not in markdown]
        texts = [output.data["text/markdown"] for output in markdown]
        shown.cells += [cell, *map(nbformat.v4.new_markdown_cell, texts)]
    return shown
