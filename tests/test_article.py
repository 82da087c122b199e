"""The article: its sentences and tables are the notebooks', its facts those of the run."""

import logging
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from msroi.metrics.table import METRICS
from study import provenance
from study.article import article, discussion, sentences, setting, words
from study.article.captions import CAPTIONS
from study.article.deviations import NoDeviationsError, deviations

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAPER = pd.read_csv(ROOT / "data/paper/table1.csv")
RUN = {
    **{"authors": "A", "licence": "MIT", "commit": "c0ffee", "duration": ""},
    **{"machine": "one core", "python": "3"},
}


@pytest.fixture
def params():
    return yaml.safe_load((ROOT / "params.yaml").read_text())


def around(mean, **columns):
    """A row whose interval reaches half a unit to each side of its mean."""
    return columns | {"images": 9, "mean": mean, "low": mean - 0.5, "high": mean + 0.5}


def by_metric(means, **columns):
    """Rows of every method by every metric."""
    return [
        around(mean, method=method, metric=metric, **columns)
        for method, mean in means.items()
        for metric in METRICS
    ]


def differences(category):
    rows = [{"method": name, "psnr_hvs": gain} for name, gain in (("mosaic", -2), ("direct", 1))]
    return pd.DataFrame(rows).assign(image="i", category=category, width=100, height=90)


@pytest.fixture
def tables(params):
    """What the notebooks saved: the mosaic loses two, direct gains one, by every metric."""
    found = {"mosaic": -2.0, "direct": 1.0, "direct-flat": 0.75}
    title = "Photographs of scikit-image"
    ours = [
        {"source": "ours", "set": title, "method": method, "images": 9} | dict.fromkeys(METRICS, 30)
        for method in ("standard", *found)
    ]
    claims = [("this", "1", "2", np.nan, "reproduced", "so")] + [
        ("that", "1", "0", "2", "not reproduced", "so")
    ] * 2
    ablations = {
        name: -1.0 for name in params["evaluate"]["methods"]["ablations"] if name != "standard"
    }
    ablations["mosaic, salient untouched"] = ablations["mosaic 80/100"] = 0.5
    ablations["direct without a map"] = 3.0
    others = {"standard": 2.0, "mosaic": 3.0, "direct-centre": 1.0, "direct-flat": 0.75}
    judged = [
        around(mean, set="S", metric="psnr_objects", other=name) for name, mean in others.items()
    ]
    shares = {"objects": [1, 3], "scenes": 5, "CAM": [0.9, 0.4], "MS-ROI": [0.5, 0.7]}
    heads = pd.DataFrame({"map": ["MS-ROI", "CAM", "energy"], "nss": 0.9, "top-1": 0.7})
    closeup = {
        "image": "i",
        "method": ["standard"],
        "bytes": 9,
        "budget_bytes": 9,
        "box_psnr": 30.0,
    }
    return {
        "verdict": pd.DataFrame(
            claims, columns=["claim", "paper", "ours", "direct", "verdict", "reason"]
        ),
        "figure1_closeup": pd.DataFrame(closeup | {"box_psnr": 30.0, "psnr": 31.0}),
        "table1_quality": pd.concat([PAPER.assign(source="paper"), pd.DataFrame(ours)]),
        "table2_intervals": pd.DataFrame(by_metric(found, set=title)),
        "ablations": pd.DataFrame(by_metric(ablations)),
        "independent_test": pd.DataFrame(judged),
        "rate_distortion": pd.DataFrame(
            by_metric({"mosaic": 9.0, "direct": -9.0}, against="standard")
        ),
        "figure2_cam_vs_msroi": pd.DataFrame(shares).assign(
            several=[False, True], gain=0.3, low=0.1, high=0.5
        ),
        "figure3_maps": pd.DataFrame({"image": ["i", "j"], "mean": 0.2, "salient": [0.1, 0.3]}),
        "model_what_it_finds": heads.assign(
            difference=[np.nan, 1.0, 0.1],
            low=[np.nan, 0.5, -0.1],
            high=[np.nan, 1.5, 0.3],
            images=7,
        ),
        "figure4_size_scaling": differences("size"),
        "figure5_categories": pd.DataFrame(
            [around(-2.0, method="mosaic", category="Art", metric="psnr_hvs")]
        ),
    }


def change(table, mean, **where):
    """The rows where the columns have these values, moved to another mean."""
    chosen = np.logical_and.reduce([table[name] == value for name, value in where.items()])
    table.loc[chosen, ["mean", "low", "high"]] = [mean, mean - 0.5, mean + 0.5]


def content(tables, params):
    return article.content(tables, params, deviations=deviations(README), run=RUN)


def test_the_abstracts_numbers_are_the_tables(tables, params):
    before = discussion.abstract(tables, params)
    change(tables["table2_intervals"], -3.25, method="mosaic", metric="psnr")
    after = discussion.abstract(tables, params)
    assert "PSNR falls (−2.00 dB, 95% interval −2.50 to −1.50; the paper has +0.12 dB)" in before
    assert "PSNR falls (−3.25 dB, 95% interval −3.75 to −2.75; the paper has +0.12 dB)" in after
    assert "In 5 rendered scenes of 3 objects, MS-ROI finds more of the objects than CAM" in before
    assert "direct is above standard JPEG (+2.00 dB, +1.50 to +2.50)" in before


def test_a_metric_whose_interval_holds_zero_is_not_called_a_gain(tables, params):
    change(tables["table2_intervals"], 0.25, method="direct", metric="psnr")
    said = sentences.direct(tables, params)
    assert "PSNR is undecided (+0.25 dB, −0.25 to +0.75)" in said
    assert "of 7 metrics 6 rise and 1 is undecided" in said


def test_an_interval_of_a_single_image_decides_nothing():
    value = words.Interval(1.0, np.nan, np.nan)
    assert words.moved(value, "psnr") == "PSNR is undecided (+1.00 dB, unknown)"


@pytest.mark.parametrize(
    ("means", "said"),
    [
        ([1, 2], "all 2 metrics rise"),
        ([-1, -2, -3], "all 3 metrics fall"),
        ([1, 2, -1, 0], "of 4 metrics 2 rise, 1 falls and 1 is undecided"),
    ],
)
def test_a_tally_counts_what_rises_and_falls(means, said):
    assert words.tally([words.Interval(mean, mean - 0.5, mean + 0.5) for mean in means]) == said


def test_claims_are_counted_by_their_verdicts(tables):
    said = sentences.counts(tables["verdict"])
    assert said.startswith("Of 3 claims of the paper")
    assert said.endswith("1 is reproduced and 2 are not.")


@pytest.mark.parametrize(
    ("mean", "said"),
    [
        (1.0, "above itself without a map (+1.00 dB, +0.50 to +1.50), so the map helps"),
        (0.0, "not told apart from itself without a map (+0.00 dB, −0.50 to +0.50), so it is not"),
        (-1.0, "below itself without a map (−1.00 dB, −1.50 to −0.50), so the map does harm"),
    ],
)
def test_whether_the_map_helps_is_said_by_the_judge_that_knows_none(tables, params, mean, said):
    change(tables["independent_test"], mean, other="direct-flat")
    assert said in discussion.circular(tables, params)


def test_a_loss_is_explained_only_where_there_is_one(tables, params):
    assert "PSNR-S goes from −1.00 dB to +0.50 dB" in discussion.loss(tables, params)
    assert "this is what costs the gain" in discussion.loss(tables, params)
    change(tables["table2_intervals"], 2.0, method="mosaic")
    assert "nothing is to explain" in discussion.loss(tables, params)


def test_ablations_that_gain_nothing_do_not_explain_the_loss(tables, params):
    change(tables["ablations"], -2.0, method="mosaic 80/100")
    assert "this is not all that costs the gain" in discussion.loss(tables, params)


def test_comparisons_on_few_images_are_named(tables, params):
    assert "the main set (9)" in discussion.few(tables, params)
    for name in ("table2_intervals", "ablations", "rate_distortion"):
        tables[name]["images"] = 100
    assert discussion.few(tables, params) == ""


def test_absolute_values_are_compared_only_on_the_papers_own_images(tables):
    quality = tables["table1_quality"]
    assert discussion.absolute(quality).startswith("None of this study's sets is one of the paper")
    quality.loc[quality["source"] == "ours", "set"] = "Kodak PhotoCD"
    assert "PSNR 30 and 34.7" in discussion.absolute(quality)


def test_a_missing_row_is_named(tables, params):
    table = tables["table2_intervals"]
    tables["table2_intervals"] = table[table["method"] != "direct-flat"]
    with pytest.raises(ValueError, match="one row of method 'direct-flat' and metric"):
        content(tables, params)


def test_a_parameter_changes_what_the_article_says_of_the_method(params):
    before = setting.chosen(params)
    params["evaluate"]["methods"]["main"]["mosaic"] |= {"q_low": 10}
    params["evaluate"]["methods"]["main"]["direct"] = {"tune": "hvs", "strength": 2}
    params["saliency"]["rule"] = {"select": "topk", "k": 3, "short_sides": [96, 192]}
    after = setting.chosen(params)
    assert before["qualities"] == "30, 40, 50, 60 and 70"
    assert after["qualities"] == "10, 25, 40, 55 and 70"
    assert (after["tune"], after["strength"], after["flatness"]) == ("hvs", "2", "0.9")
    assert (after["rule"], after["scales"]) == ("topk", "short sides of 96 and 192 pixels")


def test_a_set_that_was_shrunk_is_said_to_be(params):
    assert setting.shrunk(params) == ""
    params["evaluate"]["runs"]["scenes"]["shrink"] = 2
    assert "“Rendered scenes at half size” are JPEGs themselves" in setting.shrunk(params)


def test_the_heads_that_draw_a_sets_maps_are_named(params):
    said = setting.drawn(params)
    assert "The released heads draw the maps of Photographs of scikit-image" in said
    assert "the heads trained here draw the maps of Rendered scenes." in said


def test_the_parameters_are_params_yamls(params):
    rows = dict(setting.parameters(params))
    assert rows["evaluate.methods.mosaic"] == "levels 5, q_low 30, q_high 70"
    for said in ("learning_rate 0.003", "clip 1.0", "patience 0", "frozen yes"):
        assert said in rows["train.heads.msroi"]


def test_the_deviations_are_readmes_own_rows(tables, params):
    shown = content(tables, params)["sheets"]["deviations"]
    head, *rows = ["| " + " | ".join(row) + " |" for row in deviations(README)]
    assert shown["sections"][0]["rows"] == deviations(README)[1:]
    assert len(rows) >= 10
    assert all(f"\n{line}\n" in README for line in (head, *rows))


def test_a_readme_without_deviations_is_refused():
    with pytest.raises(NoDeviationsError, match="Deviations from the paper"):
        deviations("# msroi\n\n## Deviations from the paper\n\nNone.\n\n## Limits\n| a |\n")


def test_an_effect_is_bold_where_its_interval_is_clear_of_zero(tables, params):
    change(tables["table2_intervals"], 0.25, method="direct", metric="psnr")
    (section,) = content(tables, params)["sheets"]["intervals"]["sections"]
    mosaic, direct, _ = section["rows"]
    assert mosaic[2] == {"mean": "−2.00", "interval": "−2.50 to −1.50", "clear": True}
    assert direct[2] == {"mean": "+0.25", "interval": "−0.25 to +0.75", "clear": False}


def test_the_article_is_typeset_without_a_warning_and_always_to_the_same_bytes(
    tables, params, tmp_path, caplog
):
    pictures = [tmp_path / f"{name}.png" for name in article.FIGURES]
    for picture in pictures:
        Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(picture)
    with caplog.at_level(logging.WARNING, logger="msroi"):
        first, second = (article.typeset(content(tables, params), pictures) for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF-")
    assert caplog.messages == []


def test_every_figure_table_and_source_is_referred_to():
    text = (ROOT / "study/article/article.typ").read_text()
    labels = set(re.findall(r"<((?:fig|tab)-[a-z-]+)>", text))
    assert labels == set(re.findall(r"@((?:fig|tab)-[a-z-]+)", text))
    assert set(re.findall(r'picture\("(\w+)"', text)) == set(article.FIGURES) <= set(CAPTIONS)
    sources = re.findall(r"^@\w+\{(\w+)", (ROOT / "study/article/references.bib").read_text(), re.M)
    assert set(sources) <= set(re.findall(r"@(\w+)", text))


def test_no_number_in_the_articles_prose_is_typed():
    text = (ROOT / "study/article/article.typ").read_text()
    prose = text.partition("= Introduction")[2].partition("= How to reproduce it")[0]
    prose = re.sub(r"^\$ .*?\$ <[\w-]+>", "", prose, flags=re.DOTALL | re.MULTILINE)  # equations,
    prose = re.sub(r"\$.*?\$", "", prose)  # and those within a line
    prose = re.sub(r"@[\w-]+|Eq\. \d( and \d)?", "", prose)  # references, and the paper's equations
    lines = [line for line in prose.splitlines() if not line.startswith(("#", "  "))]
    names = {"256", "101", "2000", "4:2:0", "1", "95"}  # Caltech-256, Table 1 of the paper, 95%
    assert set(re.findall(r"\d[\d:.]*\d|\d", "\n".join(lines))) <= names


def git(folder, *command):
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    done = ["git", *author, *command]
    return subprocess.run(done, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path):
    """Code and a lock file, each in a commit of its own."""
    git(tmp_path, "init", "--quiet")
    for name in ("params.yaml", "dvc.lock"):
        (tmp_path / name).write_text(name)
        git(tmp_path, "add", name)
        git(tmp_path, "commit", "--quiet", "--message", name)
    return tmp_path


def test_the_commit_is_the_last_one_that_touched_the_code(repository):
    assert provenance.commit(repository) == git(repository, "rev-parse", "HEAD~1").strip()


def test_the_commit_is_marked_where_files_differ_from_it(repository):
    clean = provenance.commit(repository)
    (repository / "dvc.lock").write_text("other")
    assert provenance.commit(repository) == clean
    (repository / "params.yaml").write_text("other")
    assert provenance.commit(repository) == f"{clean} with uncommitted changes"


def test_where_there_is_no_git_the_commit_is_unknown(tmp_path, monkeypatch):
    assert provenance.commit(tmp_path).startswith("unknown")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit(tmp_path).startswith("unknown")


def test_the_duration_is_the_recorded_one_or_is_left_out(tmp_path):
    runs = tmp_path / "runs.csv"
    assert provenance.duration("sample", runs) == ""
    runs.write_text("study,minutes,machine,commit\nsample,4.5,one core,c0ffee\n")
    assert provenance.duration("kodak", runs) == ""
    said = provenance.duration("sample", runs)
    assert said == "4.5 minutes from nothing, on one core (commit c0ffee)"
