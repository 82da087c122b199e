"""The article: its sentences are article.typ's, its numbers and sides the tables'."""

import json
import logging
import re
import subprocess
from copy import deepcopy
from os.path import relpath
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typst
from kodak import README, ROOT, composed, content, pictures, published
from rungs import climbed

from study import provenance
from study.article import article, facts, heads, parameters
from study.article.article import NoDeviationsError, deviations
from study.statistics.ladder import ladder

SOURCES = ROOT / "study/article"
NOTEBOOKS = ROOT / "notebooks"
ARTICLE = (SOURCES / "article.typ").read_text()
DISCUSSIONS = [path.read_text() for path in sorted(SOURCES.glob("discussion_*.typ"))]


@pytest.fixture
def params():
    return deepcopy(composed("kodak"))


@pytest.fixture
def tables():
    return published()


@pytest.fixture
def said(tables, params, tmp_path):
    """A function: the words of the article's paragraphs and captions, of the tables as they are."""

    folder = tmp_path / "article"
    folder.mkdir()

    def words(**skipped):
        source = article.lay_out(content(tables, params, skipped), pictures(tmp_path), folder)
        found = typst.query(source, "par", root=folder, ignore_system_fonts=True)
        return "\n".join(plain(node) for node in json.loads(found))

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


def change(table, mean, **where):
    """The rows where the columns have these values get another mean, and half a unit around it."""
    chosen = np.logical_and.reduce([table[name] == value for name, value in where.items()])
    assert chosen.any()
    table.loc[chosen, ["mean", "low", "high"]] = [mean, mean - 0.5, mean + 0.5]


def test_a_changed_table_changes_the_articles_words(tables, said):
    before = said()
    change(tables["table2_intervals"], -3.25, method="mosaic", metric="psnr", set="Kodak PhotoCD")
    change(tables["independent_test"], 2.0, other="standard")
    tables["verdict"]["verdict"] = ["reproduced"] * 2 + ["not told apart"] * 23
    tables["figure2_cam_vs_msroi"][["gain", "low", "high"]] = 0.3, -0.1, 0.5
    tables["model_what_it_finds"]["top-1"] = 0.777
    after = said()
    for words, count in {  # in the abstract and in the results, or in a caption
        "PSNR falls (−3.25 dB, 95% interval −3.75 to −2.75; the paper has +0.12 dB)": 2,
        "Of 25 claims of the paper, put to its own method: 2 reproduced and 23 not told apart.": 2,
        "MS-ROI finds neither clearly more nor clearly fewer of the objects than CAM (+30 ": 2,
        "direct is above standard JPEG (+2.00 dB, +1.50 to +2.50)": 4,
        "they learned, MS-ROI names 77.7% rightly and CAM 77.7%.": 1,
    }.items():
        assert (before.count(words), after.count(words)) == (0, count)


def test_a_sets_title_is_text_in_the_article(said):
    title = "#strong[x] <img src=x> ![x](http://127.0.0.1:9/x.png) *b* $x$"
    assert f"2 of “{title}”" in said(**{title: 2})


@pytest.mark.parametrize(
    ("mean", "moves", "tally", "over"),
    [
        (1.0, "rises (+1.00 dB, +0.50 to +1.50)", "all 8 metrics rise", "above"),
        (
            *(0.25, "is not told apart (+0.25 dB, −0.25 to +0.75)"),
            *("of 8 metrics 7 rise and 1 is not told apart", "not told apart from"),
        ),
        (-1.0, "falls (−1.00 dB, −1.50 to −0.50)", "of 8 metrics 7 rise and 1 falls", "below"),
    ],
)
def test_a_word_follows_from_its_interval(tables, said, mean, moves, tally, over):
    change(tables["table2_intervals"], mean, method="direct", metric="psnr")
    change(tables["independent_test"], 2.0, other="standard")
    change(tables["independent_test"], mean, other="direct-flat")
    words = said()
    assert f"PSNR {moves}" in words and f"; {tally}." in words
    assert f"direct is above standard JPEG (+2.00 dB, +1.50 to +2.50) and {over} itself" in words


def test_the_ladder_tells_shares_in_per_cent_and_leads_by_their_side(tables, params, said):
    params["report"]["discussion"] = None
    own = [2.0, 4.0, 6.0]
    gains = {"direct": own, "direct_energy": [1.0, 1.5, 2.0], "direct_centre": [1.0, 9.0, 2.0]}
    rungs = climbed(**gains, direct_oracle=[4.0, 8.0, 12.0])
    tables["ladder"] = ladder({"Three images": rungs}, seed=1)
    words = said()
    for part in (
        "On “Three images” (3 images) the truth gains +8.00 dB, of which ",
        "MS-ROI’s map has +50% (+50 to +50); what MS-ROI’s map gains is ",
        "above that under the plain energy of its features (+2.50 dB, ",
        " and not told apart from that under a centre prior (+0.00 dB, ",
    ):
        assert part in words


def test_a_truth_that_gains_nothing_has_no_shares_and_is_typeset_all_the_same(tables, params, said):
    params["report"]["discussion"] = None
    nothing = climbed(direct=[1.0, 2.0], direct_oracle=[-1.0, 1.0])
    tables["ladder"] = ladder({"Two images": nothing}, seed=1)
    assert "the truth gains +0.00 dB; what MS-ROI’s map gains is" in said()


def test_what_the_studys_own_heads_know_is_told_by_class_and_over_all(tables, params, said):
    params["report"]["discussion"] = None
    tables["figure2_cam_vs_msroi_classes"] = pd.DataFrame(
        {"class": ["bear", "cup"], "images": [30, 10], "CAM": [0.5, 0.9], "MS-ROI": [1.0, 0.8]}
    )
    words = said()
    assert "Of 40 held-out images in 2 classes, this study’s own heads, trained on " in words
    assert "60.0% rightly with CAM (by class from 50%, bear, to 90%, cup)" in words
    assert "95.0% rightly with MS-ROI (by class from 80%, cup, to 100%, bear)" in words


def test_agreement_with_a_map_of_fixations_is_told_by_both_measures(tables, params, said):
    assert "of MS-ROI’s map and the fixations is" not in said()
    params["report"]["discussion"] = None
    tables["figure2_cam_vs_msroi_people"] = pd.DataFrame(
        [
            ["cat2000", measure, name, value, lead, lead - 0.1, lead + 0.1, 2000]
            for measure, own in (("cc", 0.5), ("sim", 0.6))
            for name, value, lead in (("MS-ROI", own, np.nan), ("CAM", 0.2, own - 0.2))
        ],
        columns=["set", "measure", "map", "value", "difference", "low", "high", "images"],
    )
    words = said()
    for measure, value, lead in (("CC", "0.500", "+0.300"), ("SIM", "0.600", "+0.400")):
        told = f"the {measure} of MS-ROI’s map and the fixations is {value}, above that of CAM’s "
        assert f"On CAT2000 (2,000 photographs) {told}({lead}, " in words


def test_an_interval_of_a_single_image_decides_nothing():
    told = facts.effect(facts.Interval(1.0, np.nan, np.nan), facts.NSS)
    assert (told["mean"], told["low"], told["side"]) == ("+1.00", None, "undecided")
    assert facts.effect(facts.Interval(np.nan, np.nan, np.nan), facts.NSS) is None


def test_a_table_with_two_rows_of_the_same_is_refused(tables):
    tables["ablations"] = pd.concat([tables["ablations"]] * 2)
    with pytest.raises(ValueError, match="needs one row of each, and has 2"):
        facts.found(tables)


def test_parameters_change_what_is_said_of_the_method(params, said):
    before = said()
    params["evaluate"]["methods"]["main"]["mosaic"] |= {"q_low": 10}
    params["evaluate"]["methods"]["main"]["direct"] = {"tune": "hvs"}
    params["saliency"]["rule"] = {"select": "topk", "k": 3, "short_sides": [96, 192]}
    for run in params["evaluate"]["runs"].values():
        run.pop("scale", None)
    params["evaluate"]["runs"]["kodak"]["set"] = "sample"
    params["report"]["discussion"] = None
    after = said()
    for old, new in {
        "which gives 30, 40, 50, 60 and 70.": "which gives 10, 25, 40, 55 and 70.",
        "the tune is balanced": "the tune is hvs",
        "every class counts by its probability": "the first classes count by their rank",
        "5/7, 10/7 and 20/7 of the side of the images": "short sides of 96 and 192 pixels",
        "The photographs of “OSIE at half size, MIT1003 at half": "In the place of Kodak’s images",
        "Why the mosaic loses.": "",  # the discussion
    }.items():
        assert old in before and old not in after
        assert new in after and (not new or new not in before)
    assert "The heads trained here draw the maps of Rendered scenes." in before


def test_the_article_says_what_was_chosen_on_purpose_and_what_was_skipped(params, said):
    assert not re.search("chosen on purpose|were skipped", said())
    params["datasets"]["kodak"]["each"] = 6
    params["datasets"]["caltech101"] |= {"each": 30}
    params["fetch"]["cat2000"] = {}
    params["datasets"]["cat2000"]["categories"] = ["Action", "Social"]
    after = said(**{"Kodak PhotoCD": 2})
    for words in (
        "Of Kodak PhotoCD this study takes a part, chosen on purpose: 6 images, drawn at random.",
        "Of Caltech-101 this study takes a part, chosen on purpose: 30 images of each category, dr",
        "chosen on purpose: the images of Action and Social alone.",
        "Images that could not be decoded were skipped: 2 of “Kodak PhotoCD”.",
    ):
        assert words in after
    params["train"]["data"] = "cat2000"
    params["datasets"]["cat2000"]["each"] = 5
    after = said()
    assert "both heads on CAT2000 (the part named below, " in after
    assert "5 images of each of Action and Social, drawn at random." in after


def test_the_features_are_those_that_the_study_trains_on(params, said):
    before = said()
    for section in ("train", "fetch"):
        params[section] = params[section] | composed("paper")[section]
    after = said()
    own = "The features are those of the paper: twice a convolution", "2 on CAM’s features, which"
    imagenets = (
        "here they are EfficientNet-Lite0’s",
        "CAM for 2 epochs, MS-ROI for 3 on the same features, which stay as they are; for MS-ROI,",
    )
    assert [[words in text for words in (*own, *imagenets)] for text in (before, after)] == [
        [True, True, False, False],
        [False, False, True, True],
    ]


def test_heads_are_named_after_what_the_parameters_say_and_not_after_one_study():
    kodak, sample, paper = (
        parameters.chosen(composed(study)) for study in ("kodak", "sample", "paper")
    )
    released, own = "the released heads", "this study’s own heads, trained on "
    assert kodak["whose"] == {
        "counted": own + "Rendered scenes",
        "photograph": released,
        "finds": released,
    }
    assert sample["whose"]["photograph"] is None  # it shows none
    assert paper["whose"]["counted"] == paper["whose"]["photograph"] == own + "Caltech-256"
    assert paper["whose"]["finds"] == released  # what is recorded of them
    assert heads.whose("mine.onnx", composed("kodak")) == "the heads in mine.onnx"
    assert not re.search(r"released heads (learned|find|know)|heads that were trained", ARTICLE)


def test_the_deviations_are_readmes_own_rows_and_a_readme_without_them_is_refused():
    head, *rows = ["| " + " | ".join(row) + " |" for row in deviations(README)]
    assert len(rows) >= 10
    assert all(f"\n{line}\n" in README for line in (head, *rows))
    with pytest.raises(NoDeviationsError, match="Deviations from the paper"):
        deviations("# msroi\n\n## Deviations from the paper\n\nNone.\n\n## Limits\n| a |\n")


def test_equal_content_is_typeset_without_a_warning_and_to_equal_bytes(
    tables, params, tmp_path, caplog
):
    figures = pictures(tmp_path)
    with caplog.at_level(logging.WARNING, logger="study"):
        first, second = (article.typeset(content(tables, params), figures) for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF-")
    assert caplog.messages == []


def test_a_study_of_more_claims_has_a_table_of_more_pages(tables, params, tmp_path):
    facts = content(tables, params)
    source = article.lay_out(facts | {"claims": 3 * facts["claims"]}, [], tmp_path)
    pictures(tmp_path)
    marked = "#show table.cell: it => [#metadata(none) <cell>#it]"
    height = "query(<cell>).map(cell => cell.location().position().y.cm())"
    source.write_text(f"{marked}\n{source.read_text()}\n#context [#metadata({height}) <heights>]\n")
    heights = {"selector": "<heights>", "field": "value", "one": True}
    found = typst.query(source, **heights, root=tmp_path, ignore_system_fonts=True)
    assert max(json.loads(found)) < 27.6  # cm: an A4 page's 29.7 without its lower margin


def test_every_figure_table_and_source_is_referred_to():
    labels = set(re.findall(r"<((?:fig|tab)-[a-z-]+)>", ARTICLE))
    assert labels == set(re.findall(r"@((?:fig|tab)-[a-z-]+)", ARTICLE))
    assert re.findall(r'#picture\("(\w+)"', ARTICLE) == list(article.FIGURES)
    named = re.findall(r'(?:#picture\(|from: |#notebook\()"(\w+)"', ARTICLE)
    assert {name for name in article.TABLES if (NOTEBOOKS / f"{name}.ipynb").exists()} == {*named}
    sources = re.findall(r"^@\w+\{(\w+)", (SOURCES / "references.bib").read_text(), re.M)
    cited = set(re.findall(r"@(\w+)", "".join([ARTICLE, *DISCUSSIONS])))
    cited -= {"eq", "fig", "sec", "tab"}
    assert cited == set(sources)


def test_beside_each_figure_are_links_to_its_notebook_and_to_its_numbers(tmp_path):
    (tmp_path / "layout.typ").write_text((SOURCES / "layout.typ").read_text())
    pictures(tmp_path)
    places = json.dumps(article.places(Path("reports")))
    drawn = [
        f'#picture("{name}", places: json(bytes({json.dumps(places)})))[What it shows.]'
        for name in article.FIGURES
    ]
    source = tmp_path / "figures.typ"
    source.write_text("\n".join(['#import "layout.typ": picture', *drawn]))
    found = json.loads(typst.query(source, "link", root=tmp_path, ignore_system_fonts=True))
    targets = [(Path("reports") / node["dest"]).as_posix() for node in found]
    assert [relpath(target) for target in targets] == [
        target
        for name in article.FIGURES
        for target in (f"notebooks/{name}.ipynb", f"reports/tables/{name}.csv")
    ]
    assert all((ROOT / relpath(target)).exists() for target in targets[::2])
    assert "picture.with(places: report.places)" in ARTICLE


NO_PROSE = (
    r"^//.*$",  # comments
    r"(?s:^\$ .*?\$ <[\w-]+>)|\$.*?\$",  # equations, and those within a line
    r'link\("[^"]*"\)',  # addresses
    r"@[\w-]+|Eq\. \d( and \d)?",  # references, and the paper's equations
    r"(?i:ssimulacra2|x26[45]|H\.264|EfficientNet-Lite2)",  # names
    r'"[\w ,%/-]*"',  # keys: names of figures, of methods, of variants
    r"\b(width|size|inset|x|y): [\d.]+(%|pt)|v\([-\d.]+em\)|columns: \(.*?\)",  # the look
)


@pytest.mark.parametrize("text", [ARTICLE, *DISCUSSIONS], ids=["article", "kodak"])
def test_no_number_in_the_prose_is_typed(text):
    prose = text.partition("= How to reproduce it")[0]
    for pattern in NO_PROSE:
        prose = re.sub(pattern, "", prose, flags=re.MULTILINE)
    # Caltech-256, MIT1003, Table 1, 95%
    names = {"601", "256", "101", "2000", "2017", "1003", "4:2:0", "0", "1", "95"}
    found = re.findall(r"(\D{,20})(\d[\d:.]*\d|\d)", prose)
    assert [before + number for before, number in found if number not in names] == []


def git(folder, *command):
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    done = ["git", *author, *command]
    return subprocess.run(done, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path):
    """Code, the parameters and a lock file, each in a commit of its own."""
    git(tmp_path, "init", "--quiet")
    for name in ("dvc.yaml", "params.yaml", "dvc.lock"):
        (tmp_path / name).write_text(name)
        git(tmp_path, "add", name)
        git(tmp_path, "commit", "--quiet", "--message", name)
    return tmp_path


def test_the_commit_is_the_last_one_of_the_code_and_marked_where_files_differ_from_it(repository):
    clean = provenance.commit(repository)
    assert clean == git(repository, "rev-parse", "HEAD~2").strip()
    (repository / "dvc.lock").write_text("other")
    (repository / "params.yaml").write_text("composed by another study")
    assert provenance.commit(repository) == clean
    (repository / "dvc.yaml").write_text("other")
    assert provenance.commit(repository) == f"{clean} with uncommitted changes"


def test_parameters_are_a_studys_own_unless_they_are_other_than_it_composes(params):
    assert provenance.changed(params, ROOT / "conf") == []
    params["datasets"]["kodak"]["path"] = "/pictures/kodak"
    params["datasets"]["holiday"] = {"path": "/pictures/2024"}
    assert provenance.changed(params, ROOT / "conf") == ["datasets"]  # of a set that it knows not
    del params["datasets"]["holiday"]
    assert provenance.changed(params, ROOT / "conf") == []
    params["evaluate"]["quality"] = 60
    params["datasets"]["kodak"]["each"] = 4
    assert provenance.changed(params, ROOT / "conf") == ["datasets", "evaluate"]


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
