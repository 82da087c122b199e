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


OTHERS = {
    "noise": b"\x00\xff",
    "a list": b"[1, 2, 3]",
    "a text": b'"ab"',
    "a number": b"5",
    "a record of an earlier version": b'{"key": "a", "result": 7}',
    "a key that is no text": b'{"key": ["a"], "result": 7, "checksum": ""}',
    "a checksum that is none": b'{"key": "a", "result": 7, "checksum": 12}',
    "what nests too deep": b"[" * 100_000,
    "a number too long": b"9" * 10_000,
}


@pytest.mark.parametrize("line", OTHERS.values(), ids=OTHERS)
def test_what_is_no_record_is_dropped_with_a_word(line, journal, caplog):
    journal.append("a", 1)
    with journal.path.open("ab") as file:
        file.write(b"\n" + line)
    journal.append("b", 2)
    assert journal.read() == {"a": 1, "b": 2}
    (message,) = caplog.messages
    assert "1 of 3 records" in message and "set.jsonl" in message


def test_a_record_with_any_byte_altered_gives_no_other_result(journal):
    rows = [{"psnr": 30.5, "bytes": 718, "image": "é"}]
    journal.append("a", rows)
    data = journal.path.read_bytes()
    for place in range(1, len(data)):
        for other in {data[place] ^ 1, ord("0"), ord("9"), ord('"')}:
            journal.path.write_bytes(data[:place] + bytes([other]) + data[place + 1 :])
            assert journal.read() in ({}, {"a": rows})


def test_a_journal_that_cannot_be_read_is_named(journal):
    journal.path.mkdir(parents=True)
    with pytest.raises(OutputError, match=r"set\.jsonl: cannot be read"):
        journal.read()


def test_a_journal_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"set\.jsonl"):
        Journal(tmp_path / "file/set.jsonl").append("a", 1)
