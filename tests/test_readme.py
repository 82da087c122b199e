"""README's results are those of the committed study, and are rewritten from it alone."""

import json
import re

import pandas as pd
import pytest
from kodak import PUBLISHED, README, ROOT, published

from msroi.metrics import METRICS
from study.article import facts
from study.measure import findings
from study.stages import publish
from study.statistics.intervals import ABOVE, Interval, side

SAID = json.loads((PUBLISHED / "report.json").read_text())


@pytest.fixture(scope="module")
def kodak():
    return pd.read_csv(PUBLISHED / "kodak.csv")


def block():
    return README.split(publish.BEGIN)[1].split(publish.END)[0].strip()


def test_readmes_results_are_those_of_the_committed_study():
    assert block() == publish.results(SAID | facts.found(published()))


def test_a_changed_result_changes_readmes_table():
    tables = published()
    quality = tables["table1_quality"]
    quality.loc[quality["source"] == "ours", "psnr"] += 1
    after = publish.results(SAID | facts.found(tables)).splitlines()
    changed = [old != new for old, new in zip(block().splitlines(), after, strict=True)]
    assert changed == [False] * 4 + [True] * 8 + [False] * 7  # the heads and the paper's rows stay


def test_a_sets_title_is_text_in_readmes_results():
    tables = published()
    judged = tables["independent_test"]
    judged["set"] = judged["set"].replace("OSIE at half size", "<img src=x> *b* ![x](http://x)")
    written = publish.results(SAID | facts.found(tables))
    lines = [line for line in written.splitlines() if "img" in line]
    assert lines and not [line for line in lines if "<img" in line or "![" in line or "*b*" in line]


def test_readmes_table_has_the_means_of_the_committed_results(kodak):
    """Recomputed without the code that wrote them."""
    rows = [line.strip("| ").split("|") for line in block().splitlines() if line.startswith("| ")]
    ours = {name.strip(): cells for name, *cells in rows[4:]}
    theirs = [cells for _, *cells in rows[2:4]]
    assert [cells[-1].strip() for cells in theirs] == ["—", "—"]  # the paper has no SSIMULACRA2
    peers, own = ["mozjpeg", "mozjpeg-robidoux", "jpegli"], ["direct-flat", "direct"]
    assert list(ours) == ["standard", *peers, "mosaic", *own, "direct-ssimulacra2"]
    for method, cells in ours.items():
        own = kodak[kodak["method"] == method]
        assert len(own) == 24
        for metric, cell in zip(METRICS, cells, strict=True):
            rounding = 0.51 * 0.1 ** METRICS[metric].digits
            assert float(cell) == pytest.approx(own[metric].mean(), abs=rounding)


def test_what_readme_says_in_words_is_so(kodak):
    """The mosaic loses by every measure; direct gains by every one."""
    means = kodak.groupby("method")[list(METRICS)].mean()
    assert "loses by every measure" in README
    assert (means.loc["mosaic"] < means.loc["standard"]).all()
    assert (means.loc["direct"] > means.loc["standard"]).all()
    assert (kodak["bytes"] <= kodak["budget_bytes"]).all()


def test_what_readme_says_of_the_released_map_is_so():
    """Better than CAM's on four sets, than the energy on three, than a centre prior on three."""
    sets = ("osie", "mit1003", "ecssd", "coco")
    tables = {name: pd.read_csv(ROOT / f"data/released/{name}/heads.csv") for name in sets}
    found = findings.by_set(tables, of="MS-ROI", seed=2017)
    leads = found[["difference", "low", "high"]].itertuples(index=False)
    sides = dict(zip(zip(found["set"], found["map"], strict=True), leads, strict=True))
    better = {key for key, lead in sides.items() if side(Interval(*lead)) == ABOVE}
    assert {name for name, drawn in better if drawn == "CAM"} == set(sets)
    assert {name for name, drawn in better if drawn == "energy"} == {"osie", "mit1003", "ecssd"}
    assert {name for name, drawn in better if drawn == "centre prior"} == {"osie", "ecssd", "coco"}
    worse = {key for key, lead in sides.items() if lead.high < 0 and key[1] != "MS-ROI × centre"}
    assert worse == set()


def test_only_what_is_between_the_marks_is_replaced_and_a_readme_without_them_is_refused():
    text = f"above\n{publish.BEGIN}\nold\n{publish.END}\nbelow\n"
    new = f"above\n{publish.BEGIN}\n\nnew\n\n{publish.END}\nbelow\n"
    assert publish.with_results(text, "new") == new
    for text in ("nothing", publish.BEGIN, f"{publish.END} {publish.BEGIN}"):
        with pytest.raises(publish.ReadmeError, match=re.escape(publish.BEGIN)):
            publish.with_results(text, "new")
