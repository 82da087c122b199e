"""The article: its sentences are article.typ's, its numbers and sides the tables'."""

import json
import logging
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typst
import yaml
from PIL import Image

from msroi.metrics.table import METRICS
from study import provenance
from study.article import article, facts
from study.article.tables import NoDeviationsError, deviations, parameters

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "study/article"
ARTICLE = (SOURCES / "article.typ").read_text()
DISCUSSIONS = [path.read_text() for path in sorted(SOURCES.glob("discussion_*.typ"))]
README = (ROOT / "README.md").read_text()
PAPER = pd.read_csv(ROOT / "data/paper/table1.csv")
RUN = {
    "authors": "A",
    "licence": "MIT",
    "commit": "c0ffee",
    "machine": "one core",
    "python": "3",
    "duration": "",
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
    title = params["notebook"]["table2_intervals"]["sets"]["sample"]
    ours = [
        {"source": "ours", "set": title, "method": method, "images": 9} | dict.fromkeys(METRICS, 30)
        for method in ("standard", *found)
    ]
    claims = [("this", "1", "2", np.nan, "reproduced", "so")] + [
        ("that", "1", "0", "2", "not reproduced", "so")
    ] * 2
    ablations = {name: -1.0 for name in params["evaluate"]["ablations"] if name != "standard"}
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


@pytest.fixture
def pictures(tmp_path):
    """A small picture in the place of each figure."""
    paths = [tmp_path / f"{name}.png" for name in article.FIGURES]
    for path in paths:
        Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(path)
    return paths


def content(tables, params):
    return article.content(tables, params, deviations=deviations(README), run=RUN)


@pytest.fixture
def said(tables, params, pictures, tmp_path):
    """A function: what the article's paragraphs and captions say of the tables as they are now."""

    def words():
        folder = tmp_path / "article"
        folder.mkdir(exist_ok=True)
        source = article.lay_out(content(tables, params), pictures, folder)
        found = [
            json.loads(typst.query(source, selector, root=folder, ignore_system_fonts=True))
            for selector in ("par", "figure.caption")
        ]
        return "\n".join(plain(node) for nodes in found for node in nodes)

    return words


def plain(node):
    """The words of a node of Typst's document."""
    if isinstance(node, list):
        return "".join(map(plain, node))
    if isinstance(node, str) or "text" in node:
        return node if isinstance(node, str) else plain(node["text"])
    if node.get("func") in ("space", "smartquote"):
        return " " if node["func"] == "space" else "’"
    return "".join(plain(node[key]) for key in ("children", "child", "body") if key in node)


def test_a_changed_table_changes_the_articles_words(tables, said):
    before = said()
    change(tables["table2_intervals"], -3.25, method="mosaic", metric="psnr")
    after = said()
    sentence = "PSNR falls ({}, 95% interval {}; the paper has +0.12 dB)"
    assert before.count(sentence.format("−2.00 dB", "−2.50 to −1.50")) == 2  # abstract, results
    assert after.count(sentence.format("−3.25 dB", "−3.75 to −2.75")) == 2
    assert "Of 3 claims of the paper, put to its own method: 1 reproduced and 2 not repro" in before
    assert "In 5 rendered scenes of 3 objects, MS-ROI finds more of the objects than CAM" in before
    assert "direct is above standard JPEG (+2.00 dB, +1.50 to +2.50)" in before
    assert "(in the end MS-ROI 70.0%, CAM 70.0%)" in before  # a caption


@pytest.mark.parametrize(
    ("mean", "moves", "tally", "over"),
    [
        (1.0, "PSNR rises (+1.00 dB, +0.50 to +1.50)", "all 7 metrics rise", "above"),
        (
            0.25,
            "PSNR is not told apart (+0.25 dB, −0.25 to +0.75)",
            "of 7 metrics 6 rise and 1 is not told apart",
            "not told apart from",
        ),
        (-1.0, "PSNR falls (−1.00 dB", "of 7 metrics 6 rise and 1 falls", "below"),
    ],
)
def test_a_word_follows_from_its_interval(tables, said, mean, moves, tally, over):
    change(tables["table2_intervals"], mean, method="direct", metric="psnr")
    change(tables["independent_test"], mean, other="direct-flat")
    words = said()
    assert moves in words and f"; {tally}." in words
    assert f"{over} itself without a map ({mean:+.2f} dB".replace("-", "−") in words


def test_an_interval_of_a_single_image_decides_nothing():
    told = facts.effect(facts.Interval(1.0, np.nan, np.nan), facts.NSS)
    assert (told["mean"], told["low"], told["side"]) == ("+1.00", None, "undecided")
    assert facts.effect(facts.Interval(np.nan, np.nan, np.nan), facts.NSS) is None


def test_a_table_with_two_rows_of_the_same_is_refused(tables):
    tables["ablations"] = pd.concat([tables["ablations"]] * 2)
    with pytest.raises(ValueError, match="2 rows of a table are of the same"):
        facts.found(tables)


def test_parameters_change_what_is_said_of_the_method(params, said):
    before = said()
    params["evaluate"]["methods"]["mosaic"] |= {"q_low": 10}
    params["evaluate"]["methods"]["direct"] = {"tune": "hvs"}
    params["saliency"]["rule"] = {"select": "topk", "k": 3, "short_sides": [96, 192]}
    params["evaluate"]["runs"]["scenes"]["shrink"] = 2
    after = said()
    assert "which gives 30, 40, 50, 60 and 70." in before and "the tune is balanced" in before
    assert "which gives 10, 25, 40, 55 and 70." in after and "the tune is hvs" in after
    assert "every class counts by its probability" in before
    assert "the first classes count by their rank" in after
    assert "short sides of 96 and 192 pixels" in after
    assert "The heads trained here draw the maps of rendered objects with known masks." in before
    assert "The photographs of “rendered objects with known masks at half size” are JPEGs" in after
    assert "are JPEGs themselves" not in before


def test_a_discussion_is_printed_where_the_study_asks_for_it(said):
    assert "Why the mosaic loses" not in said()


def test_the_parameters_are_params_yamls(params):
    rows = dict(parameters(params))
    assert rows["evaluate.methods.mosaic"] == "levels 5, q_low 30, q_high 70"
    assert "clip 1.0" in rows["train.recipe"] and "patience 0" in rows["train.recipe"]
    assert "frozen yes" in rows["train.heads.msroi.recipe"]


def test_the_deviations_are_readmes_own_rows():
    head, *rows = ["| " + " | ".join(row) + " |" for row in deviations(README)]
    assert len(rows) >= 10
    assert all(f"\n{line}\n" in README for line in (head, *rows))


def test_a_readme_without_deviations_is_refused():
    with pytest.raises(NoDeviationsError, match="Deviations from the paper"):
        deviations("# msroi\n\n## Deviations from the paper\n\nNone.\n\n## Limits\n| a |\n")


def test_equal_content_is_typeset_without_a_warning_and_to_equal_bytes(
    tables, params, pictures, caplog
):
    with caplog.at_level(logging.WARNING, logger="study"):
        first, second = (article.typeset(content(tables, params), pictures) for _ in range(2))
        change(tables["table2_intervals"], -3.25, method="mosaic", metric="ssim")
        assert article.typeset(content(tables, params), pictures) != first
    assert first == second
    assert first.startswith(b"%PDF-")
    assert caplog.messages == []


def test_every_figure_table_and_source_is_referred_to():
    labels = set(re.findall(r"<((?:fig|tab)-[a-z-]+)>", ARTICLE))
    assert labels == set(re.findall(r"@((?:fig|tab)-[a-z-]+)", ARTICLE))
    assert sorted(re.findall(r'picture\("(\w+)"', ARTICLE)) == sorted(article.FIGURES)
    sources = re.findall(r"^@\w+\{(\w+)", (SOURCES / "references.bib").read_text(), re.M)
    cited = set(re.findall(r"@(\w+)", "".join([ARTICLE, *DISCUSSIONS]))) - {"eq", "fig", "tab"}
    assert cited == set(sources)


NO_PROSE = (
    r"^//.*$",  # comments
    r"(?s:^\$ .*?\$ <[\w-]+>)|\$.*?\$",  # equations, and those within a line
    r"@[\w-]+|Eq\. \d( and \d)?",  # references, and the paper's equations
    r'"[\w ,%/-]*"',  # keys: names of figures, of methods, of variants
    r"\b(width|size|inset|x|y): [\d.]+(%|pt)|v\([-\d.]+em\)|columns: \(.*?\)",  # the look
)


@pytest.mark.parametrize("text", [ARTICLE, *DISCUSSIONS], ids=["article", "kodak"])
def test_no_number_in_the_prose_is_typed(text):
    prose = text.partition("= How to reproduce it")[0]
    for pattern in NO_PROSE:
        prose = re.sub(pattern, "", prose, flags=re.MULTILINE)
    names = {"256", "101", "2000", "2017", "4:2:0", "0", "1", "95"}  # Caltech-256, Table 1, 95%
    found = re.findall(r"(\D{,20})(\d[\d:.]*\d|\d)", prose)
    assert [before + number for before, number in found if number not in names] == []


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
