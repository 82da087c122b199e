"""README's results are those of the committed study, and are rewritten from it alone."""

import re
from pathlib import Path

import pandas as pd
import pytest

from msroi.metrics.table import METRICS
from study.article import readme
from study.measure import findings
from study.stages.publish import KEPT

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT / "data/published/kodak"
PAPER = pd.read_csv(ROOT / "data/paper/table1.csv")


@pytest.fixture(scope="module")
def kodak():
    return pd.read_csv(PUBLISHED / "kodak.csv")


@pytest.fixture(scope="module")
def tables():
    return {name: pd.read_csv(PUBLISHED / f"{name}.csv") for name in KEPT}


def block():
    text = (ROOT / "README.md").read_text()
    return text.split(readme.BEGIN)[1].split(readme.END)[0].strip()


def test_readmes_results_are_those_of_the_committed_study(kodak, tables):
    assert block() == readme.results(PAPER, kodak, tables)


def test_readmes_table_has_the_means_of_the_committed_results(kodak):
    """Recomputed without the code that wrote them."""
    for method in readme.SHOWN:
        line = next(line for line in block().splitlines() if line.startswith(f"| {method} |"))
        shown = [float(cell) for cell in line.strip("| ").split("|")[1:]]
        rows = kodak[kodak["method"] == method]
        assert len(rows) == 24
        for metric, value in zip(METRICS, shown, strict=True):
            assert value == pytest.approx(rows[metric].mean(), abs=0.0051)


def test_what_readme_says_in_words_is_so(kodak):
    """The mosaic loses by every measure; direct gains by every one."""
    means = kodak.groupby("method")[list(METRICS)].mean()
    assert "loses by every measure" in (ROOT / "README.md").read_text()
    assert (means.loc["mosaic"] < means.loc["standard"]).all()
    assert (means.loc["direct"] > means.loc["standard"]).all()
    assert (kodak["bytes"] <= kodak["budget_bytes"]).all()


def test_what_readme_says_of_the_released_map_is_so():
    """Better than CAM's and a centre prior, no better than the energy of the same features."""
    looked = pd.read_csv(ROOT / "data/released/osie/heads.csv")
    options = {"unit": "image", "value": "nss", "of": "MS-ROI", "seed": 2017}
    gain = findings.differences(looked, **options).set_index("map")
    assert (gain.loc[["CAM", "centre prior"], "low"] > 0).all()
    assert gain.loc["energy", "low"] <= 0


def test_a_changed_result_changes_the_table(kodak):
    changed = kodak.assign(psnr=kodak["psnr"] + 1)
    before, after = (readme.table(PAPER, rows).splitlines() for rows in (kodak, changed))
    assert before[:4] == after[:4]  # the heads and the paper's rows
    assert all(old != new for old, new in zip(before[4:], after[4:], strict=True))


def test_only_what_is_between_the_marks_is_replaced():
    text = f"above\n{readme.BEGIN}\nold\n{readme.END}\nbelow\n"
    assert (
        readme.with_results(text, "new") == f"above\n{readme.BEGIN}\n\nnew\n\n{readme.END}\nbelow\n"
    )


@pytest.mark.parametrize("text", ["nothing", readme.BEGIN, f"{readme.END} {readme.BEGIN}"])
def test_a_readme_without_the_marks_is_refused(text):
    with pytest.raises(readme.ReadmeError, match=re.escape(readme.BEGIN)):
        readme.with_results(text, "new")


def test_what_readme_shows_is_small():
    published = [*PUBLISHED.iterdir(), ROOT / "docs/kodak.png"]
    assert sum(path.stat().st_size for path in published) < 1e6
