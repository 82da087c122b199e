"""Names, categories and titles are text wherever they are shown, whatever they say."""

import base64
import re
import threading
from html import unescape
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
import pytest
from kodak import ROOT
from PIL import Image

from msroi.metrics import METRICS
from study.article import notebooks
from study.show import figures, tables

CATEGORY = "<img src=x onerror=alert(1)>"
TITLE = "![x](http://127.0.0.1:9/x.png) *b* #strong[x] $x$"
TEXTS = (
    *(
        CATEGORY,
        TITLE,
        "a|b",
        "</td><script>alert(2)</script>",
        '#import "x"',
        "$\\frac",
        "_a_ b_c",
    ),
    *("`code` [link](http://x) @cited <label> ~~no~~ 1^2", "&lt;b&gt;", "\\alpha **bold** --- ..."),
)


def shown(*markdown):
    """A notebook whose one cell has shown these, and a picture."""
    data = BytesIO()
    Image.new("RGB", (40, 30), "red").save(data, "PNG")
    outputs = [{"text/markdown": text} for text in markdown]
    outputs.append({"image/png": base64.b64encode(data.getvalue()).decode()})
    made = [nbformat.v4.new_output("display_data", output) for output in outputs]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("show", outputs=made)])


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_itself_in_html_and_in_typst_as_a_cell_a_row_and_a_column(text, tmp_path):
    cell = pd.DataFrame({"image": [text], "mean": [1.5]}, index=pd.Index(["a"], name="row"))
    row = pd.DataFrame({"mean": [1.5]}, index=pd.Index([text], name=text))
    column = pd.DataFrame({text: [1.5], "other": [None]}, index=pd.MultiIndex.from_tuples([(1, 2)]))
    notebook = shown(
        *(tables.markdown(table, floatfmt=".2f").data for table in (cell, row, column))
    )
    page = notebooks.to_html(notebook, "n").partition("<main>")[2]
    assert unescape(page).count(f">{text}</t") == 4
    assert not [tag for tag in ("<img src=x", "<script>alert", '127.0.0.1:9/x.png"') if tag in page]
    typeset = notebooks.to_typst(notebook, tmp_path)
    assert typeset.count("image(") == 1  # the picture that was drawn
    live = re.findall(r"(?<!\\)#(\w+)|(?<!\\)(\$)", typeset)
    assert {call or sign for call, sign in live} == {"block", "box", "figure", "table"}
    assert notebooks.to_pdf(notebook).startswith(b"%PDF")


def test_a_picture_that_a_notebook_links_is_not_fetched_for_its_pdf(tmp_path):
    asked = []

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Asked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{server.server_port}/x.png"
        text = notebooks.to_typst(shown(f"![x]({place})"), tmp_path)
        server.shutdown()
    assert place in text
    assert asked == []


def test_the_notebook_of_categories_shows_a_strange_one_as_text(tmp_path):
    base = {"width": 8, "height": 8, "bytes": 9, "budget_bytes": 9, "quality": 50}
    rows = [
        base | {"image": f"{category}{n}", "category": category, "method": method} | values
        for category in (CATEGORY, TITLE, "$\\frac")
        for n in range(3)
        for method, gain in (("standard", 0), ("mosaic", -n - 1), ("direct", n + 1))
        for values in [dict.fromkeys(METRICS, 30.0 + gain)]
    ]
    for folder in ("results", "figures", "tables"):
        (tmp_path / "reports" / folder).mkdir(parents=True)
    pd.DataFrame(rows).to_csv(tmp_path / "reports/results/strange.csv", index=False)
    given = {"root": str(tmp_path), "results": "reports/results/strange.csv"}
    done = notebooks.execute(ROOT / "notebooks/figure5_categories.ipynb", given)
    notebooks.write_all(done, tmp_path / "out")
    page = (tmp_path / "out.html").read_text()
    assert "&lt;img src=x onerror=alert(1)&gt;</td>" in page
    assert f">{TITLE}</td>" in page
    assert "<img src=x" not in page
    assert "<img src=x" not in (tmp_path / "out.ipynb").read_text()
    assert (tmp_path / "reports/figures/figure5_categories.png").exists()


def test_a_figure_takes_dollars_for_dollars():
    with plt.rc_context(figures.STYLE):
        fig, ax = plt.subplots()
        figures.show_image(ax, [[0]], "$\\frac and $x$")
        fig.canvas.draw()
        plt.close(fig)
