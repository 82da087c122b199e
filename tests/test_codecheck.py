"""codecheck.yml, by the CODECHECK configuration file specification 2.0: what its author gives."""

import re
import shutil
from pathlib import PurePosixPath

import pytest
import yaml
from dvc.repo import Repo
from kodak import ROOT

from study.article import article

TEXT = (ROOT / "codecheck.yml").read_text(encoding="utf-8")
CODECHECK = yaml.safe_load(TEXT)
FILES = [entry["file"] for entry in CODECHECK["manifest"]]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The files that the sample study's stages make, of dvc.yaml as DVC fills it."""
    folder = tmp_path_factory.mktemp("sample")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(ROOT / name, folder / name)
    with Repo.init(str(folder), no_scm=True) as repo:
        return {out.def_path for stage in repo.index.stages for out in stage.outs}


def test_the_file_is_an_explicit_document_of_the_specification():
    assert TEXT.startswith("%YAML 1.1\n---\n")
    assert CODECHECK["version"] == "https://codecheck.org.uk/spec/config/2.0/"


def test_the_manifest_names_files_that_the_pipeline_makes_each_once_and_says_what_they_are(made):
    assert set(FILES) <= made
    assert len(set(FILES)) == len(FILES)
    assert not any(PurePosixPath(file).is_absolute() or ".." in file for file in FILES)
    assert all(entry["comment"].strip() for entry in CODECHECK["manifest"])


def test_the_manifest_has_the_article_its_figures_its_tables_and_all_results(made):
    results = {file for file in made if re.fullmatch(r"reports/results/\w+\.csv", file)}
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    shown = {f"reports/figures/{name}.png" for name in article.figures_of(params)}
    shown |= {f"reports/tables/{name}.csv" for name in article.tables_of(params)}
    assert set(FILES) == {"reports/report.pdf"} | results | shown


def test_the_paper_is_the_article_with_its_title_its_authors_and_a_reference():
    paper = CODECHECK["paper"]
    typeset = (ROOT / "study/article/article.typ").read_text()
    assert f'#let title = "{paper["title"]}"' in typeset
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert [author["name"] for author in paper["authors"]] == [a["name"] for a in cited["authors"]]
    (original,) = cited["references"]
    assert original["doi"] in paper["reference"]


def test_what_only_a_codechecker_can_say_is_not_made_up():
    assert not {"codechecker", "report", "summary", "certificate", "check_time"} & set(CODECHECK)
    assert not re.search(r"FIXME|TODO|XXXX|ORCID:", TEXT)
