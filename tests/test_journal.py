"""Results kept as they come."""

import math

import pytest

from msroi.files import OutputError
from study.measure.journal import Journal


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "new/set.jsonl")


def test_results_come_back_as_they_were_until_they_are_removed(journal):
    assert journal.read() == {}
    rows = [{"psnr": 0.1 + 0.2, "psnr_hvs": math.inf, "bytes": 7, "image": "für\nelise"}]
    journal.append("a", rows)
    journal.append("b", [])
    assert journal.read() == {"a": rows, "b": []}
    journal.remove()
    journal.remove()
    assert not journal.path.exists()


def test_a_kill_in_the_middle_of_a_record_costs_only_that_record(journal):
    journal.append("a", [{"psnr": 30.5, "image": "é"}])
    whole = journal.path.stat().st_size
    journal.append("b", [{"psnr": 31.25, "image": "ü"}])
    data = journal.path.read_bytes()
    for size in range(whole, len(data)):
        journal.path.write_bytes(data[:size])
        assert set(journal.read()) == {"a"}
        journal.append("c", [])
        assert set(journal.read()) == {"a", "c"}


def test_noise_in_the_file_is_passed_over(journal):
    journal.append("a", 1)
    with journal.path.open("ab") as file:
        file.write(b'\n\x00\xff\n[1, 2, 3]\n"ab"\n5')
    journal.append("b", 2)
    results = journal.read()
    assert (results["a"], results["b"]) == (1, 2)


def test_a_journal_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"set\.jsonl"):
        Journal(tmp_path / "file/set.jsonl").append("a", 1)
