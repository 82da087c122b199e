"""Downloads from a server on this machine that behaves as badly as the world's."""

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import numpy as np
import pytest

from msroi.images import png
from study.data import download as downloads
from study.data.download import download
from study.data.fetch import fetch
from study.data.registry import DatasetError, source
from study.data.truths import object_masks

DATA = np.random.default_rng(0).bytes(15 * downloads.CHUNK_BYTES)
CHECKSUM = f"md5:{hashlib.md5(DATA).hexdigest()}"
CUT = 9 * downloads.CHUNK_BYTES  # 60%


@dataclass
class Behaviour:
    """What the server does, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=lambda: {"/set.zip": DATA})
    has_ranges: bool = True
    statuses: list[int] = field(default_factory=list)  # answered before anything else
    cuts: list[int] = field(default_factory=list)  # bytes after which an answer breaks off
    asked: list[str | None] = field(default_factory=list)  # the Range of each request
    sent_bytes: int = 0
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        behaviour: Behaviour = self.server.behaviour
        asked = self.headers.get("Range")
        behaviour.asked.append(asked)
        data = behaviour.files.get(self.path)
        start = int(re.match(r"bytes=(\d+)-", asked)[1]) if asked and behaviour.has_ranges else 0
        if behaviour.statuses:
            self.answer(behaviour.statuses.pop(0), b"")
        elif data is None:
            self.answer(404, b"")
        elif start >= len(data):
            self.answer(416, b"", content_range=f"bytes */{len(data)}")
        else:
            cut = behaviour.cuts.pop(0) if behaviour.cuts else len(data)
            content_range = f"bytes {start}-{len(data) - 1}/{len(data)}" if start else ""
            self.answer(206 if start else 200, data[start:], content_range=content_range, cut=cut)

    def answer(self, status: int, data: bytes, *, content_range: str = "", cut: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        self.server.behaviour.sent_bytes += len(data[:cut])  # before the client can have them all
        with suppress(ConnectionError):  # the client gave up
            self.wfile.write(data[:cut])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Behaviour]:
    monkeypatch.setattr(downloads, "BACK_OFF_SECONDS", 0.001)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("MSROI_DATA", raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.behaviour = Behaviour(url=f"http://127.0.0.1:{http.server_port}")
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield http.behaviour
        http.shutdown()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fetch_file(server: Behaviour, folder: Path, *, checksum: str = CHECKSUM) -> Path:
    download(f"{server.url}/set.zip", folder / "set.zip", checksum=checksum)
    return folder / "set.zip"


REST, SIZE = f"bytes={CUT}-", len(DATA)
TROUBLES = {  # what the server does, the part that lies there, what is asked for and sent
    "none": (Behaviour(), b"", [None], SIZE),
    "an overload": (Behaviour(statuses=[503, 429]), b"", [None, None, None], SIZE),
    "a line that breaks": (Behaviour(cuts=[CUT]), b"", [None, REST], SIZE),
    "no ranges either": (Behaviour(cuts=[CUT], has_ranges=False), b"", [None, REST], CUT + SIZE),
    "a part that is all": (Behaviour(), DATA, [f"bytes={SIZE}-"], 0),
    "another file's part": (Behaviour(), DATA + b"more", [f"bytes={SIZE + 4}-", None], SIZE),
}


@pytest.mark.parametrize(("does", "part", "asked", "sent"), TROUBLES.values(), ids=TROUBLES)
def test_a_download_ends_in_the_file_alone_and_asks_for_what_is_lacking(
    does, part, asked, sent, server, tmp_path
):
    server.has_ranges, server.statuses, server.cuts = does.has_ranges, does.statuses, does.cuts
    if part:
        (tmp_path / "set.zip.part").write_bytes(part)
    assert fetch_file(server, tmp_path).read_bytes() == DATA
    assert names(tmp_path) == ["set.zip"]
    assert (server.asked, server.sent_bytes) == (asked, sent)


def test_a_server_that_dies_at_60_percent_is_asked_for_the_rest_in_the_next_run(server, tmp_path):
    server.cuts = [CUT] + [0] * (downloads.ATTEMPTS - 1)
    with pytest.raises(DatasetError, match="could not be downloaded"):
        fetch_file(server, tmp_path)
    assert names(tmp_path) == ["set.zip.part"]
    assert (tmp_path / "set.zip.part").read_bytes() == DATA[:CUT]

    server.asked.clear()
    assert fetch_file(server, tmp_path).read_bytes() == DATA
    assert server.asked == [f"bytes={CUT}-"]
    assert names(tmp_path) == ["set.zip"]


@pytest.mark.parametrize(
    ("statuses", "cuts", "said", "requests"),
    [
        ([404], [], "was refused .HTTP 404", 1),
        ([503] * 99, [], "could not be downloaded .HTTP 503", downloads.ATTEMPTS),
        ([], [CUT] * 99, "could not be downloaded .no connection", downloads.ATTEMPTS),
    ],
    ids=["refused", "overloaded", "broken off at the same byte each time"],
)
def test_a_download_that_gets_no_further_is_given_up(
    statuses, cuts, said, requests, server, tmp_path
):
    server.has_ranges, server.statuses, server.cuts = False, statuses, cuts
    with pytest.raises(DatasetError, match=said):
        fetch_file(server, tmp_path)
    assert len(server.asked) == requests


def test_a_server_that_has_no_byte_of_the_file_is_given_up(server, tmp_path):
    server.files["/set.zip"] = b""  # 416, and "bytes */0", which is all that has arrived
    with pytest.raises(DatasetError, match=r"could not be downloaded \(HTTP 416"):
        fetch_file(server, tmp_path)
    assert names(tmp_path) == []


def test_a_wrong_checksum_names_both_sums_and_leaves_nothing(server, tmp_path):
    wrong = "md5:" + "0" * 32
    with pytest.raises(DatasetError) as caught:
        fetch_file(server, tmp_path, checksum=wrong)
    assert wrong[4:] in str(caught.value) and CHECKSUM[4:] in str(caught.value)
    assert names(tmp_path) == []


def test_a_file_put_there_by_hand_is_taken_or_where_it_is_wrong_named_and_kept(server, tmp_path):
    (tmp_path / "set.zip").write_bytes(DATA)
    fetch_file(server, tmp_path)
    assert server.asked == []
    (tmp_path / "set.zip").write_bytes(b"not it")
    with pytest.raises(DatasetError, match=CHECKSUM[4:]):
        fetch_file(server, tmp_path)
    assert (tmp_path / "set.zip").read_bytes() == b"not it"


def test_with_no_network_one_line_says_where_to_put_the_file_by_hand(server, tmp_path):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        server.url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(DatasetError, match=r"no connection to 127\.0\.0\.1") as caught:
            fetch_file(server, tmp_path)
    assert "\n" not in str(caught.value)
    assert f"get the file by hand and put it at {tmp_path / 'set.zip'}" in str(caught.value)


def test_a_disk_without_room_is_noticed_before_the_first_byte(server, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=999))
    with pytest.raises(DatasetError, match="make room"):
        fetch_file(server, tmp_path)
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_disk_that_fills_up_in_the_middle_is_told(server, tmp_path):
    (tmp_path / "set.zip.part").symlink_to("/dev/full")
    with pytest.raises(DatasetError, match=r"No space left on device.*make room"):
        fetch_file(server, tmp_path)


@pytest.fixture
def pictures(server):
    """A set of loose files on the server, as Kodak is."""
    images = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 3), np.uint8)
    server.files = {f"/kodim0{n}.png": png(image) for n, image in enumerate(images, 1)}
    files = {
        server.url + path: f"sha256:{hashlib.sha256(data).hexdigest()}"
        for path, data in server.files.items()
    }
    return replace(source("kodak"), files=files, images=3, download_bytes=0, disk_bytes=0)


def test_a_set_appears_only_when_all_of_it_is_there_and_is_fetched_once(server, pictures, tmp_path):
    last = server.files.pop("/kodim03.png")
    with pytest.raises(DatasetError, match="404"):
        fetch(pictures, tmp_path / "kodak")
    assert not (tmp_path / "kodak").exists()

    server.files["/kodim03.png"] = last
    for asked in (1, 0):  # the two that had come are kept
        server.asked.clear()
        images = fetch(pictures, tmp_path / "kodak")
        assert [item.name for item in images] == ["kodim01", "kodim02", "kodim03"]
        assert names(tmp_path) == [".kodak.lock", "kodak"]
        assert len(server.asked) == asked


def test_a_set_that_does_not_fit_is_not_begun(server, pictures, tmp_path):
    with pytest.raises(DatasetError, match="make room"):
        fetch(replace(pictures, disk_bytes=10**18), tmp_path / "kodak")
    assert server.asked == []


def test_two_runs_at_once_fetch_a_set_once(server, pictures, tmp_path):
    runs = [threading.Thread(target=fetch, args=(pictures, tmp_path / "kodak")) for _ in "ab"]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(server.asked) == 3


def test_a_set_of_two_archives_is_downloaded_and_put_together(server, tmp_path):
    white, files = png(np.full((8, 8), 255, np.uint8)), {}
    for folder, name in {"images": "0001.jpg", "ground_truth_mask": "0001.png"}.items():
        file = BytesIO()
        with ZipFile(file, "w") as archive:
            archive.writestr(f"{folder}/{name}", white)
        data = server.files[f"/{folder}.zip"] = file.getvalue()
        files[f"{server.url}/{folder}.zip"] = f"md5:{hashlib.md5(data).hexdigest()}"
    entry = replace(source("ecssd"), files=files, download_bytes=0, disk_bytes=0)
    (item,) = fetch(entry, tmp_path / "ecssd")
    assert object_masks(item).all()
    assert names(tmp_path) == [".ecssd.lock", "ecssd"]
    assert names(tmp_path / "ecssd") == ["ground_truth_mask", "images"]
