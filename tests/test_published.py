"""What is committed of the kodak study agrees: the article, its tables, its numbers, its links."""

import json
import re
from pathlib import PurePosixPath

import pandas as pd
import pypdf
import pytest
from kodak import PUBLISHED, ROOT, composed, published

from study.article import article, facts
from study.params import as_json, places_of
from study.stages import publish
from study.statistics import claims

SAID = json.loads((PUBLISHED / "report.json").read_text())
MOST_PAGES = 12
VERDICT = pd.read_csv(PUBLISHED / "tables/verdict.csv", keep_default_na=False)


@pytest.fixture(scope="module")
def pdf():
    return pypdf.PdfReader(PUBLISHED / "report.pdf")


@pytest.fixture(scope="module")
def text(pdf):
    """The article's words on one line."""
    return " ".join(" ".join(page.extract_text().split()) for page in pdf.pages)


def test_its_numbers_are_recomputed_from_its_tables():
    found = json.loads(as_json(facts.found(published())))
    assert {key: SAID[key] for key in found} == found


def test_the_article_prints_them(text):
    main, log = SAID["main"]["effects"], SAID["log"]
    shown = [effect for by in main.values() for effect in by.values()]
    shown += [own["effects"]["standard"] for own in SAID["judged"]]
    shown += [lead for own in SAID["finds"] for name, lead in own["leads"].items() if name == "CAM"]
    for effect in shown:
        assert effect["number"] in text and f"{effect['low']} to {effect['high']}" in text
    for words in (
        f"Of {len(SAID['claims'])} claims of the paper, put to its own method: ",
        f"PSNR falls ({main['mosaic']['psnr']['mean']}, 95% interval ",
        f"files that are larger by {log['more']} in the mean ({log['least']} to {log['most']})",
        SAID["run"]["commit"],
        SAID["run"]["machine"],
    ):
        assert words in text


def test_it_is_short(pdf):
    assert len(pdf.pages) <= MOST_PAGES


def test_its_links_lead_to_what_is_there(pdf):
    notes = [note.get_object() for page in pdf.pages for note in page.get("/Annots", [])]
    links = {note["/A"]["/URI"] for note in notes if "/URI" in note.get("/A", {})}
    files = {link for link in links if "://" not in link}
    assert {PurePosixPath(link).stem for link in files} <= set(article.TABLES)
    assert len(files) > len(article.figures_of(composed("kodak")))
    assert [link for link in files if not (PUBLISHED / link).exists()] == []


def test_beside_it_stands_what_made_it():
    page = (PUBLISHED / "README.md").read_text()
    assert page == publish.about(SAID["run"], name="kodak", study="kodak")
    assert SAID["study"]["name"] == "kodak"
    for fact in ("commit", "machine", "python"):
        assert SAID["run"][fact] in page
    assert "dvc exp run -S study=kodak\n" in page


def test_every_verdict_has_an_interval_or_a_count_and_what_it_was_judged_by():
    assert list(VERDICT.columns) == list(claims.Claim._fields)
    measured = VERDICT["ours"].str.contains(r"\(.*\d to .*\d\)|from .*\d.* to .*\d")
    counted = VERDICT["ours"].str.fullmatch(r"\d+ of \d+.*")
    assert VERDICT["ours"][~(measured | counted)].tolist() == []
    assert (VERDICT["reason"].str.len() > 0).all()
    assert set(VERDICT["verdict"]) <= set(claims.VERDICTS)
    assert (VERDICT["verdict"] == claims.UNTESTED).sum() <= 2


def test_what_is_committed_is_small():
    kept = [path for path in PUBLISHED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in [*kept, ROOT / "docs/kodak.png"]) < 5e6


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A repository in which the kodak study has run, and an older one is published."""
    params = composed("kodak")
    places = places_of(params)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes(as_json(params))
    for folder in (places.figures, places.tables, places.results, publish.DOCS):
        folder.mkdir(parents=True)
    (tmp_path / "README.md").write_text(f"{publish.BEGIN}\nold\n{publish.END}\n")
    for name in article.tables_of(params):
        (places.tables / f"{name}.csv").write_bytes((PUBLISHED / f"tables/{name}.csv").read_bytes())
    for name in article.figures_of(params):
        (places.figures / f"{name}.png").write_bytes((ROOT / "docs/kodak.png").read_bytes())
    (places.results / "kodak.csv").write_text("image\n")
    article.said_beside(places.article).write_bytes(as_json(SAID))
    older = publish.PUBLISHED / "kodak/report.pdf"
    older.parent.mkdir(parents=True)
    older.write_text("older")
    return places


def test_publishing_replaces_the_older_run_as_a_whole(made):
    publish.publish("kodak")
    folder = publish.PUBLISHED / "kodak"
    names = {"README.md", "kodak.csv", "report.json", "report.pdf", "tables"}
    assert {path.name for path in folder.iterdir()} == names
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    tables = {path.stem for path in (folder / "tables").iterdir()}
    assert tables == set(article.tables_of(composed("kodak")))
    assert re.search(r"claims of the paper", publish.README.read_text())
    assert [path.name for path in publish.PUBLISHED.iterdir()] == ["kodak"]


def test_what_cannot_be_published_whole_leaves_the_older_run_as_it_was(made):
    (made.tables / "ladder.csv").unlink()
    with pytest.raises(publish.StudyError, match=r"ladder\.csv is not here"):
        publish.publish("kodak")
    folder = publish.PUBLISHED / "kodak"
    assert [path.name for path in folder.iterdir()] == ["report.pdf"]
    assert (folder / "report.pdf").read_text() == "older"
    assert [path.name for path in publish.PUBLISHED.iterdir()] == ["kodak"]
    assert "old" in publish.README.read_text()
