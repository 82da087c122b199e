"""Rendered clips, and what their parts gain when a map leads the encoder."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from clips import decoded
from kodak import elsewhere

from msroi.network import RELEASED
from msroi.saliency import centre_prior
from msroi.video.reading import examine
from msroi.video.writing import Settings, plain_sizes
from study.measure.clips import ALL, OBJECTS, REST, gained, measure, write_plainly
from study.params import StudyError
from study.rendered import clips
from study.stages.clips import clips as clips_stage

pytest.importorskip("av", reason="of the extra `video`")
PLAIN = Settings("x264", "ultrafast", 28)
SIZE = H, W = 96, 128


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Small frames and short shots, in a folder of the test's own."""
    for name, value in {"SIZE": SIZE, "H": H, "W": W, "SHOT": 10, "MARGIN": 20}.items():
        monkeypatch.setattr(clips, name, value)
    monkeypatch.chdir(tmp_path)


def test_a_clip_follows_from_its_seed_and_its_objects_are_known():
    seeds = enumerate((7, 7, 8))
    masks = [clips.write_clip(Path(f"{n}.mp4"), frames=5, seed=seed) for n, seed in seeds]
    first, again, other = (Path(f"{n}.mp4").read_bytes() for n in range(3))
    assert first == again != other
    assert masks[0].shape == (5, *SIZE) and masks[0].any(axis=(1, 2)).all()
    assert not masks[0].all(axis=(1, 2)).any()
    assert [(frame.height, frame.width) for frame in decoded("0.mp4")] == [SIZE] * 5


def test_objects_move_otherwise_than_what_is_behind_them():
    masks = clips.write_clip(Path("clip.mp4"), frames=4, seed=7)
    assert np.array_equal(masks[1][1:, :-1], masks[0][:-1, 1:])
    assert not np.array_equal(masks[1], masks[0])


def test_a_finer_encode_gains_in_every_part_and_the_same_one_nothing():
    masks = clips.write_clip(Path("clip.mp4"), frames=5, seed=7)
    video = examine(Path("clip.mp4"))
    size = write_plainly(video, PLAIN, Path("plain.mp4"))
    assert size == plain_sizes(video, PLAIN, lambda frame: None)[-1]
    write_plainly(video, PLAIN._replace(crf=18), Path("finer.mp4"))

    def parts(number):
        return {OBJECTS: masks[number], REST: ~masks[number], "none": np.zeros(SIZE)}

    finer, same = (
        gained(video, Path("plain.mp4"), Path(f"{led}.mp4"), parts) for led in ("finer", "plain")
    )
    assert set(finer) == {OBJECTS, REST} and min(finer.values()) > 3
    assert set(same.values()) == {0}


def test_rows_have_every_part_under_every_map_within_the_plain_bytes():
    maps = {"centre prior": centre_prior, "left": lambda image: centre_prior(image)[:, ::-1] ** 2}
    table = pd.DataFrame(measure(maps, PLAIN, count=2, frames=6, seed=7))
    assert list(table["part"]) == 4 * [OBJECTS, REST, ALL]
    assert list(table["map"]) == 2 * (3 * ["centre prior"] + 3 * ["left"])
    assert list(table["clip"]) == 6 * [7] + 6 * [8]
    assert (table["bytes"] <= table["plain_bytes"]).all()
    assert (
        table[["gain", "map_change"]].notna().all(axis=None) and (table["frame_change"] > 0).all()
    )


def test_the_stage_writes_a_table_of_its_run():
    heads = {"msroi": str(RELEASED), "cam": str(RELEASED)}
    run = {"codec": "x264", "preset": "ultrafast", "crf": 30, "heads": heads}
    params = elsewhere() | {"clips": {"mine": run | {"count": 2, "frames": 3}}}
    Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    clips_stage("mine")
    table = pd.read_csv("reports/clips/mine.csv")
    assert list(table["map"].unique()) == ["MS-ROI", "centre prior"]
    assert len(table) == 2 * 2 * 3
    with pytest.raises(StudyError, match=r"no clips\.yours: choose from mine"):
        clips_stage("yours")
