"""`msroi video`: what it writes, what it keeps, and what it refuses."""

import signal
import subprocess
import sys
import time
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from clips import COUNT, H, W, clip, decoded, hum, packets, pan, psnr
from commands import ENVIRONMENT, PROGRAM, assert_refused, msroi, tree
from networks import alive, exported, network
from PIL import Image

from msroi.files import write_new
from msroi.offsets import CELL
from msroi.video import encode_file
from msroi.video.budget import FINEST, GIVEN_UP, SHARE_TO_STOP_AT, search
from msroi.video.maps import Maps, mean_changes
from msroi.video.reading import examine, items
from msroi.video.writing import Settings, plain_sizes

av = pytest.importorskip("av", reason="of the extra `video`")
PLAIN = Settings("x264", "fast", 23.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "small.onnx"
    exported(path, alive(network()))
    return path


@pytest.fixture
def led(run, model):
    """Run `msroi video` with a small network: (exit code, stdout, stderr)."""
    return lambda line, *more: run(f"video {line} --preset fast --model {model}", *more)


@pytest.fixture
def film(here):
    return clip("film.mp4", pan())


def right(image):
    """A map whose right half is salient."""
    drawn = np.zeros(image.shape[:2], np.float32)
    drawn[:, image.shape[1] // 2 :] = 1
    return drawn


def encoded(source, target="out.mp4", *, settings=PLAIN, map_of=right):
    return encode_file(Path(source), Path(target), settings, map_of=map_of, save=write_new)


# --- what is written -------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["x264", "x265"])
def test_a_video_has_at_most_the_bytes_of_the_plain_encode(led, film, codec):
    code, out, err = led(f"film.mp4 -o out.mp4 --codec {codec}")
    assert (code, err) == (0, "")  # libav and the encoders say nothing by themselves
    *_, plain = plain_sizes(examine(film), PLAIN._replace(codec=codec), lambda frame: None)
    size = sum(len(data) for _, data in packets("out.mp4", "video"))
    assert 0.9 * plain <= size <= plain
    assert out.startswith(f"out.mp4: {size:,} bytes of {COUNT} frames, CRF ")
    assert out.endswith(f"{size / plain:.1%} of the plain encode's\n")
    assert [(f.width, f.height) for f in decoded("out.mp4")] == [(W, H)] * COUNT


def test_the_bits_go_where_the_map_says(here):
    frames = pan()
    clip("film.mkv", frames, codec="ffv1", pixels="bgr0")
    encoded("film.mkv", "right.mp4")
    encoded("film.mkv", "left.mp4", map_of=lambda image: right(image)[:, ::-1])
    sides = {"left": np.s_[:, : W // 2 - 8], "right": np.s_[:, W // 2 + 8 :]}
    found = {
        (name, side): psnr(decoded(f"{name}.mp4"), frames, sides[side])
        for name in sides
        for side in sides
    }
    for side, other in (("left", "right"), ("right", "left")):
        assert found[side, side] > found[other, side] + 1


def test_sound_is_copied_as_it_is_and_in_time(led, here):
    clip("film.ts", pan(), sound="mp2")  # which begins at 1.4 seconds, or thereabouts
    assert led("film.ts -o out.mp4")[0] == 0
    before, after = (packets(path, "audio") for path in ("film.ts", "out.mp4"))
    assert [data for _, data in after] == [data for _, data in before]
    pictures = packets("film.ts", "video")[0][0], decoded("out.mp4")[0].time
    assert after[0][0] - pictures[1] == pytest.approx(before[0][0] - pictures[0], abs=0.002)


def test_times_of_frames_are_kept_also_where_their_rate_varies(led, here):
    times = [0, 40, 80, 100, 400, 401, 402, 700, 720, 740, 900, 2000]
    clip("film.mkv", pan(), times=times)
    assert led("film.mkv -o out.mp4")[0] == 0
    assert [round(1000 * frame.time) for frame in decoded("out.mp4")] == times


def test_frames_without_times_are_a_second_at_their_rate(led, here):
    clip("film.h264", pan(), sound=None)  # which tells none
    assert led("film.h264 -o out.mp4")[0] == 0
    gaps = np.diff([frame.time for frame in decoded("out.mp4")])
    assert gaps.min() > 0 and np.ptp(gaps) < 1e-3


def test_colours_and_the_shape_of_pixels_are_kept(led, here):
    tags = {"color_range": 2, "color_primaries": 9, "color_trc": 16, "colorspace": 9}
    clip("film.mp4", pan(), sample_aspect_ratio=Fraction(4, 3), **tags)
    assert led("film.mp4 -o out.mp4")[0] == 0
    (frame, *_) = decoded("out.mp4")
    assert {name: int(getattr(frame, name)) for name in tags} == tags
    with av.open("out.mp4") as file:
        assert file.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


@pytest.mark.parametrize("degrees", [90, -90, 180])
def test_a_turned_video_stays_turned_and_its_map_is_of_what_is_seen(here, degrees):
    frames = pan()
    with av.open("film.mp4", "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.height, stream.width = H, W
        stream.set_display_rotation(degrees)
        for own in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(own.copy(), format="rgb24")))
        file.mux(stream.encode(None))
    seen = []

    def map_of(image):
        seen.append(image)
        return right(image)

    encoded("film.mp4", map_of=map_of)
    assert decoded("out.mp4")[0].rotation % 360 == degrees % 360
    upright = np.rot90(frames[0], degrees // 90)
    assert seen[0].shape == upright.shape
    assert np.abs(seen[0].astype(int) - upright).mean() < 12


def test_what_a_file_says_of_itself_is_kept(led, here):
    with av.open("film.mp4", "w") as file:
        file.metadata["title"] = "A pan"
        stream = file.add_stream("libx264", rate=25)
        stream.height, stream.width = H, W
        for own in pan():
            file.mux(stream.encode(av.VideoFrame.from_ndarray(own.copy(), format="rgb24")))
        file.mux(stream.encode(None))
    assert led("film.mp4 -o out.mp4")[0] == 0
    with av.open("out.mp4") as file:
        assert file.metadata["title"] == "A pan"


@pytest.mark.parametrize("codec", ["x264", "x265"])
def test_odd_sides_become_even_by_a_repeated_row_and_column(led, here, codec):
    frames = pan((49, 65))
    clip("film.mkv", frames, codec="ffv1", pixels="yuv444p")
    code, _, err = led(f"film.mkv -o out.mp4 --codec {codec}")
    assert code == 0
    assert err.splitlines()[-1].endswith("the last row or column is repeated, to 66×50")
    shown = [frame.to_ndarray(format="rgb24").astype(int) for frame in decoded("out.mp4")]
    assert {image.shape for image in shown} == {(50, 66, 3)}
    edges = [np.abs(image[:, -1] - image[:, -2]).mean() for image in shown]
    assert max(edges) < 10  # black would be a hundred away


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({"pixels": "yuv444p"}, "its samples (yuv444p) become 4:2:0, where colour has half"),
        ({"pixels": "yuv420p10le"}, "its 10 bits a sample become 8"),
        ({"codec": "ffv1", "pixels": "yuva420p"}, "its transparency is left out"),
        ({"options": {"x264-params": "tff=1"}}, "its interlaced frames become whole ones"),
        ({"streams": 2}, "its other streams (video) are left out"),
    ],
)
def test_what_an_mp4_of_ours_does_not_keep_is_told(led, here, options, note):
    clip("film.mkv", pan(), **options)
    code, _, err = led("film.mkv -o out.mp4")
    assert code == 0
    assert err.startswith(f"msroi: film.mkv: {note}") and err.count("\n") == 1
    frames = decoded("out.mp4")
    assert [frame.format.name for frame in frames] == ["yuv420p"] * COUNT
    assert psnr(frames, pan(), np.s_[:, :]) > 22


def with_subtitles(path, codec, text):
    with av.open(path, "w") as file:
        video, words = file.add_stream("libx264", rate=25), file.add_mux_stream(codec)
        video.height, video.width = H, W
        for own in pan():
            file.mux(video.encode(av.VideoFrame.from_ndarray(own.copy(), format="rgb24")))
        file.mux(video.encode(None))
        packet = av.Packet(text)
        packet.stream, packet.time_base = words, Fraction(1, 1000)
        packet.pts, packet.dts, packet.duration = 100, 100, 200
        file.mux(packet)


def test_subtitles_are_copied_where_an_mp4_holds_their_kind(led, here):
    with_subtitles("film.mp4", "mov_text", b"\0\5Hello")
    code, _, err = led("film.mp4 -o out.mp4")
    assert (code, err) == (0, "")
    assert packets("out.mp4", "subtitles") == packets("film.mp4", "subtitles")


def test_subtitles_of_another_kind_are_left_out_with_a_word(led, here):
    with_subtitles("film.mkv", "subrip", b"Hello")
    code, _, err = led("film.mkv -o out.mp4")
    assert code == 0
    assert err == "msroi: film.mkv: its subtitles (srt) are left out: an mp4 cannot hold them\n"


def test_a_name_is_no_address_whatever_it_looks_like(led, here):
    clip("film.mp4", pan()).rename("http:a%03d.mp4")
    assert led("http:a%03d.mp4 -o b:c.mp4")[0] == 0
    assert len(decoded("file:b:c.mp4")) == COUNT


# --- maps over time --------------------------------------------------------------------


def seen_maps(source, map_of):
    video = examine(source)
    maps = Maps(video, map_of)
    for item in items(video):
        if isinstance(item, av.VideoFrame):
            maps.see(item)
    return maps


def test_maps_that_flicker_are_steadied(here):
    clip("film.mp4", pan(count=40))
    drawn = []

    def flickering(image):
        drawn.append(right(image) if len(drawn) % 2 else 1 - right(image))
        return drawn[-1]

    steadied = seen_maps(Path("film.mp4"), flickering).steadiness()
    assert len(drawn) == 10
    assert steadied.maps < np.mean(mean_changes(drawn)) / 10
    assert 0 < steadied.frames < 1


def test_a_map_of_one_shot_has_nothing_of_the_next(here):
    dark, light = pan(count=6), [255 - own // 4 for own in pan(count=6)]
    clip("film.mp4", dark + light)

    def map_of(image):
        return right(image) if image.mean() > 150 else 1 - right(image)

    maps = seen_maps(Path("film.mp4"), map_of)
    found = [maps.at(number) for number in range(12)]
    assert {m.shape for m in found} == {(H // CELL, W // CELL)}
    assert [m[0, 0] for m in found] == pytest.approx([1] * 6 + [0] * 6)
    assert [m[0, -1] for m in found] == pytest.approx([0] * 6 + [1] * 6)


# --- the bytes -------------------------------------------------------------------------


FRAMES = 300
EVENLY = [1000 * n for n in range(1, FRAMES + 1)] + [1000 * FRAMES]  # bytes of a plain encode


def searched(size_at, early_share=1.0):
    """What is found, and how many frames each try had, where a first third has less than its share.

    ``size_at`` gives the bytes of a whole video by its CRF.
    """
    tried = []

    def attempt(crf, file, go_on):
        size = size_at(crf)
        for frames in range(1, FRAMES + 1):
            share = frames / FRAMES * (early_share if frames <= FRAMES / 3 else 1)
            if not go_on(frames, round(size * share)):
                break
        tried.append(frames)
        return size

    return search(attempt, EVENLY, 23.0, (BytesIO(), BytesIO())), tried


@pytest.mark.parametrize("slope", [0.08, 0.13, 0.2])
@pytest.mark.parametrize("factor", [0.7, 1.0, 1.1, 2.0])
def test_the_search_stays_below_the_budget_and_needs_few_tries(slope, factor):
    def size_at(crf):
        return round(EVENLY[-1] * factor * np.exp(-slope * (crf - 23) + 0.001 * (crf - 23) ** 2))

    found, tried = searched(size_at)
    assert SHARE_TO_STOP_AT * EVENLY[-1] <= found.size <= EVENLY[-1]
    assert found.size == size_at(found.crf)
    assert sum(tried) <= 4 * FRAMES
    assert found.tries == len(tried)


@pytest.mark.parametrize("early_share", [0.5, 0.8, 1.0, 1.3])
def test_a_first_part_that_is_like_no_other_misleads_few_tries(early_share):
    found, tried = searched(
        lambda crf: round(2 * EVENLY[-1] * np.exp(-(crf - 23) / 6)), early_share
    )
    assert SHARE_TO_STOP_AT * EVENLY[-1] <= found.size <= EVENLY[-1]
    assert sum(frames < FRAMES for frames in tried) <= GIVEN_UP
    assert len(tried) <= 5


def test_where_sizes_jump_the_best_that_fits_is_taken():
    sizes = {True: 303_000, False: 240_000}  # nothing between
    found, _ = searched(lambda crf: sizes[crf < 23.4])
    assert found.size == 240_000


@pytest.mark.parametrize(("factor", "found_at"), [(1e-3, FINEST), (1e6, None)])
def test_a_search_ends_where_no_factor_comes_near(factor, found_at):
    found, _ = searched(lambda crf: round(EVENLY[-1] * factor * np.exp(-crf / 9)))
    assert (found and found.crf) == found_at


# --- what is refused -------------------------------------------------------------------


def cut(path, share):
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[: int(share * len(data))])


def spoil(path):
    """Change a byte in a hundred of what follows the head."""
    data = np.frombuffer(Path(path).read_bytes(), np.uint8).copy()
    data[len(data) // 3 :: 100] ^= 0xA5
    Path(path).write_bytes(data.tobytes())


def without_frames(path):
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.height, stream.width = H, W
        file.start_encoding()


def sound_alone(path):
    with av.open(path, "w") as file:
        tone = file.add_stream("aac", rate=48000)
        file.mux(tone.encode(hum()))
        file.mux(tone.encode(None))


FAST_START = {"movflags": "faststart"}
BAD = {
    "empty.mp4": (lambda path: Path(path).touch(), "is damaged, or no video"),
    "text.mp4": (lambda path: Path(path).write_text("a film\n" * 99), "is damaged, or no video"),
    "still.png": (lambda path: Image.new("RGB", (64, 48)).save(path), "is damaged, or no video"),
    "list.m3u8": (
        lambda path: Path(path).write_text("#EXTM3U\n#EXTINF:9,\nfilm.mp4\n#EXT-X-ENDLIST\n"),
        "is damaged, or no video",
    ),
    "sound.m4a": (sound_alone, "has no video stream"),
    "nothing.mp4": (without_frames, "has no video stream"),
    "nothing.mkv": (without_frames, "is damaged, or no video"),
    "headless.mp4": (lambda path: (clip(path, pan()), cut(path, 0.5)), "is damaged, or no video"),
    "cut.mp4": (
        lambda path: (clip(path, pan(count=50), container=FAST_START, sound=None), cut(path, 0.5)),
        "is damaged, or no video",
    ),
    "cut.mkv": (
        lambda path: (clip(path, pan(count=50), sound=None), cut(path, 0.5)),
        "is cut off: it says that it lasts 2.0 seconds",
    ),
    "spoilt.mp4": (
        lambda path: (clip(path, pan(count=50), container=FAST_START, sound=None), spoil(path)),
        "is damaged, or no video",
    ),
    "small.mp4": (
        lambda path: clip(path, pan((14, 32)), sound=None),
        "is 32×14 pixels, and encoders take sides from 16",
    ),
    "folder.mp4": (lambda path: Path(path).mkdir(), "is no ordinary file"),
    "missing.mp4": (lambda path: None, "there is no such file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line_and_nothing_is_written(led, here, name):
    make, words = BAD[name]
    make(name)
    before = tree(here)
    assert_refused(led(f"{name} -o out.mp4"), f"{name}: {words}")
    assert tree(here) == before


def test_sound_that_an_mp4_cannot_hold_is_told_before_the_work(led, here):
    clip("film.avi", pan(), codec="mpeg4", sound="wmav2")
    before = tree(here)
    words = "film.avi: an mp4 cannot hold its sound (wmav2); convert it first"
    assert_refused(led("film.avi -o out.mp4"), words)
    assert tree(here) == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("film.mp4 -o out.avi", "name a .mp4 file to write"),
        ("film.mp4 -o film.mp4 --force", "is an input, which is never written to"),
        ("film.mp4 -o there.mp4", "exists already; --force overwrites it"),
        ("film.mp4 -o nowhere/out.mp4", "the folder nowhere does not exist"),
    ],
)
def test_an_output_that_may_not_be_written_is_refused_before_the_work(led, film, line, words):
    Path("there.mp4").write_bytes(b"theirs")
    before = tree(Path())
    assert_refused(led(line), words)
    assert tree(Path()) == before


def test_without_pyav_one_line_says_what_to_install(led, film, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    assert_refused(led("film.mp4 -o out.mp4"), "needs PyAV: pip install 'msroi[video]'")


def test_an_encoder_that_pyav_lacks_is_told(led, film, monkeypatch):
    monkeypatch.setattr(av, "codecs_available", {"h264"})
    assert_refused(led("film.mp4 -o out.mp4 --codec x265"), "this PyAV has no libx265")
    assert not Path("out.mp4").exists()


# --- how it ends -----------------------------------------------------------------------


posix = pytest.mark.skipif(sys.platform == "win32", reason="of POSIX limits and signals")


@posix
def test_a_full_disk_is_one_line_and_nothing_is_left(film, model):
    import resource

    before = tree(Path())
    done = msroi(
        *("video", "film.mp4", "-o", "out.mp4", "--model", model),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
    )
    assert_refused((done.returncode, done.stdout, done.stderr), "out.mp4: cannot be written (File")
    assert tree(Path()) == before


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_at_once_and_nothing_is_left(here, model, number):
    clip("film.mp4", pan(count=400), options={"preset": "ultrafast"})
    before = tree(here)
    line = [*PROGRAM, "video", "film.mp4", "-o", "out.mp4", "--preset", "veryslow"]
    started = subprocess.Popen(
        [*line, "--model", str(model)], env=ENVIRONMENT, stdout=-1, stderr=-1
    )
    time.sleep(1.5)
    started.send_signal(number)
    assert started.communicate(timeout=20) == (b"", b"")
    assert started.returncode == -number
    assert tree(here) == before
