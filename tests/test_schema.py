"""What params.yaml may hold, and how a file that holds something else is refused."""

import inspect
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from dvc.utils.hydra import compose_and_dump
from kodak import ROOT, composed
from wrong_params import accepted

from msroi.encoder import METHODS
from msroi.encoder.direct import encode as encode_direct
from msroi.encoder.mosaic import make_mosaic
from msroi.saliency import named_maps, saliency_map
from study import schema
from study.measure.evaluation import TRUTH
from study.params import StudyError, parsed, read_params
from study.rendered.sample.categories import write_categories
from study.rendered.scenes import write_set
from study.schema.runs import MAPS, Method
from study.schema.sections import HEADS, MADE, Rule

SAMPLE = yaml.safe_load((ROOT / "params.yaml").read_text())
STUDIES = [
    path.stem for path in (ROOT / "conf/study").glob("*.yaml") if "\nstudy: " in path.read_text()
]
RELEASED = "msroi/weights/released.onnx"


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def changed(path, value):
    """The sample study with another value at a dotted path, or without it where that is `...`."""
    params = deepcopy(SAMPLE)
    *holders, key = path.split("/")
    section = params
    for name in holders:
        section = section[name]
    if value is ...:
        del section[key]
    else:
        section[key] = value
    return params


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_of_conf_is_as_the_schema_has_it(study):
    schema.check(composed(study))


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("train/recipe/lr", 0.1, r"train\.recipe\.lr is 0\.1, and unknown.* learning_rate"),
        ("train/heads/cam/recipe/epoch", 3, r"heads\.cam\.recipe\.epoch is 3.*did you mean epochs"),
        ("train/heads/cam/recipe/epochs", ..., r"no train\.heads\.cam\.recipe\.epochs; .* from 1"),
        (
            "train/recipe/clip",
            "1e-3",
            r"clip is '1e-3', a text \(as a number: 0\.001\); .* above 0",
        ),
        ("train/recipe/seed", 3, r"train\.recipe\.seed must be left out: seed says it"),
        ("train/recipe/precision", "half", r"precision is 'half'; it must be 'float32' or 'bfl"),
        ("train/architecture/widths", [8, 8], r"train\.architecture: .* exactly five widths"),
        ("train/architecture/norm", "layer", r"norm is 'layer'; it must be 'batch', 'group' or 'n"),
        ("train", ..., r"has no train; it must be a section with data, size"),
        ("train", None, r"train is null; it must be a section with data"),
        ("train/data", "kodka", r"train\.data is 'kodka'; .* fetch: scenes, sample, categories"),
        ("train/stored", 64, r"train\.stored is 64; it must be null, or size, which is 96"),
        ("train/groups", "none.csv", r"train\.groups is 'none\.csv'; .*caltech256"),
        ("train/heads/cam/background", True, r"background is true; .* scenes has no images of no"),
        ("train/heads/msroi/features", "models/vgg.safetensors", r"head of train\.heads: models/c"),
        ("evaluate/runs/sample/imagse", ["cat"], r"sample\.imagse is \['cat'\].*mean images\?"),
        ("evaluate/runs/sample/images", [], r"runs\.sample\.images is \[\]; .* list of 1 or more"),
        ("evaluate/runs/sample/methods", "mian", r"methods is 'mian'; .* main, few, by_map, abl"),
        ("evaluate/runs/sample/set", "smaple", r"set is 'smaple'; .*: scenes, sample, categories"),
        ("evaluate/runs/sample/scale", 0, r"sample\.scale is 0; it must be a number above 0 to 1"),
        ("evaluate/runs/sample/scale", float("nan"), r"sample\.scale is nan; .* above 0 to 1"),
        ("evaluate/runs/rates/qualities", [50, 101], r"qualities\.1 is 101; .* from 1 to 100"),
        ("evaluate/methods/main", {}, r"evaluate\.methods\.main is {}; .* a section"),
        ("evaluate/methods", {}, r"evaluate\.methods is \[\]; it must be a set of the name main"),
        (
            "evaluate/methods/main/jpegxl",
            {},
            r"main\.jpegxl is 'jpegxl'; .* direct, dir",
        ),
        ("evaluate/methods/main/mozjpeg", {"map": "CAM"}, r"mozjpeg\.map is 'CAM'; .* left out"),
        ("evaluate/methods/main/direct", {"map": "cam"}, r"direct\.map is 'cam'; .* 'CAM', 'MS-R"),
        (
            "evaluate/methods/main/direct",
            {"levels": 5},
            r"direct\.levels is 5; .* options of dir",
        ),
        ("evaluate/methods/main/mosaic", {"q_low": 80}, r"q_low is 80; .* q_high, which is 70"),
        ("evaluate/methods/main/standard", ..., r"main is .*; it must be a row `standard: {}`"),
        ("evaluate/quality", True, r"evaluate\.quality is true; .* a whole number from 1 to 100"),
        ("evaluate/quality", 50.5, r"evaluate\.quality is 50\.5; it must be a whole number"),
        ("saliency/shrink", 0, r"saliency\.shrink is 0, and unknown; saliency must be a section w"),
        ("saliency/rule/k", 0, r"saliency\.rule\.k is 0; it must be a whole number from 1"),
        ("saliency/heads/cam", ..., r"has no saliency\.heads\.cam"),
        ("broken", "Skip", r"broken is 'Skip'; it must be 'stop' or 'skip'"),
        ("scale/count", 0, r"scale\.count is 0; it must be a whole number from 1"),
        ("scale/objects", ["house", "cow"], r"scale\.objects\.1 is 'cow'; it must be 'ball', "),
        ("scale/smallest", 800, r"scale\.smallest is 800; .* scale\.size, which is 700"),
        ("scale/image", "no.png", r"scale\.image is 'no\.png'; .* a file that is there"),
        ("fetch/categories/count", -1, r"fetch\.categories\.count is -1; .* number from 1"),
        ("fetch/kodak", {"each": 3}, r"fetch\.kodak\.each is 3, and unknown; .*|fetch\.kodak is"),
        ("fetch/scenes/test_size", [192], r"test_size is \[192\]; .* list of 2, each a whole"),
        ("datasets/kodak/each", 0, r"datasets\.kodak\.each is 0; .* whole number from 1 or null"),
        ("datasets/kodka", {"each": 2}, r"datasets\.kodka is 'kodka'; .*did you mean kodak"),
        ("datasets/sample", {"each": 2}, r"datasets\.sample\.each is 2; .* made here"),
        ("findings/scenes/settings/every", 0, r"settings\.every is 0; it must be a whole number"),
        ("notebook/pictures/figure9", {}, r"figure9 is 'figure9'; it must be a notebook: abl"),
        (
            "notebook/pictures/explore",
            {"imge": "a"},
            r"explore\.imge is 'imge'; .* image, map",
        ),
        ("notebook/pictures/explore", {"k": "five"}, r"explore\.k is 'five'; it must be a number"),
        ("notebook/scenes/figure2_cam_vs_msroi", {"looked_at": {"set": "osie"}}, "with set, image"),
        ("notebook/results/ablations", "ablation", r"ablations is 'ablation'; .* a run: sample, c"),
        ("notebook/sets/ladder", ["scenes"], r"ladder is \['scenes'\]; .* a list of 2 to 4"),
        ("publish/kodak", {"picture": "explore"}, r"publish\.kodak is 'kodak'; .* a run: sample"),
        ("report/discussion", "sample", r"discussion is 'sample'; .*: kodak"),
        ("report/discussion", "a\nb", r"discussion is 'a\\nb'; "),
    ],
)
def test_what_is_wrong_is_told_in_one_line_by_key_value_and_what_may_be(path, value, told):
    with pytest.raises(StudyError, match=rf"^params\.yaml.*{told}") as error:
        schema.check(changed(path, value))
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "params.yaml is empty"),
        ("# nothing", "params.yaml is empty"),
        ("just words", "params.yaml holds 'just words' alone"),
        ("[1, 2]", "alone"),
        ("seed: 1\nseed: 2", "line 2: seed is said twice"),
        ("evaluate:\n  runs:\n    a: 1\n    a: 2", "line 4: evaluate.runs.a is said twice"),
        ("a: [{b: 1, b: 2}]", "a.b is said twice"),
        ("a:\n  1: x", "line 2: the key a.1 must be a text"),
        ("a: {b", "line 1 is no YAML"),
        ("a: !!python/object:os.x {}", "is no YAML"),
        ("a: 2001-99-99", "is no YAML"),
        ("a: !!timestamp x", "is no YAML"),
        ("[" * 5000, "is no YAML"),
        ("a: &a [*a]", "holds itself"),
        ("a: \x07", "is no YAML"),
    ],
)
def test_a_file_that_is_no_set_of_sections_is_told_in_one_line(text, told):
    with pytest.raises(StudyError) as error:
        schema.check(parsed(text))
    assert told in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_merged_section_may_say_anew_what_it_takes_over():
    text = "a: {b: &b {c: 1, <<: &d {c: 2, d: 3}}}\ne: {<<: *b, c: 4}"
    assert parsed(text) == {"a": {"b": {"c": 1, "d": 3}}, "e": {"c": 4, "d": 3}}


def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match="is not here"):
        read_params()
    Path("params.yaml").write_bytes(b"seed: \xff")
    with pytest.raises(StudyError, match="can't be read as text"):
        read_params()


def test_of_a_hundred_wrong_files_none_is_accepted_and_none_ends_in_a_traceback():
    assert accepted(SAMPLE, 100, seed=1) == []


def test_a_stage_ends_by_2_and_one_line_and_without_torch_before_its_work_begins(tmp_path):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(changed("broken", "Skip")))
    for command in (["train", "cam"], ["fetch", "sample"]):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "study", *command],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        said = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
        assert said == ["study: params.yaml: broken is 'Skip'; it must be 'stop' or 'skip'"]
        assert done.returncode == 2
        assert "| torch" not in done.stderr.replace("  ", "")
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_hydras_own_file_of_image_sets_is_checked_as_well(tmp_path):
    target = tmp_path / "params.yaml"
    overrides = ["study=sample", "datasets=example", "+datasets.kodak.eech=3"]
    compose_and_dump(target, str(ROOT / "conf"), None, "config", "", overrides)
    with pytest.raises(StudyError, match=r"datasets\.kodak\.eech is 3, and unknown.*mean each"):
        schema.check(parsed(target.read_text()))


def test_a_set_of_ones_own_is_taken_by_its_name():
    params = changed("fetch/holiday", {})
    params["datasets"]["holiday"] = {"path": "/pictures/2024"}
    params["evaluate"]["runs"]["holiday"] = params["evaluate"]["runs"]["sample"] | {
        "set": "holiday"
    }
    schema.check(params)


def options_of(function, *left_out):
    """Keyword-only parameters of a function that have a default: name → default."""
    found = inspect.signature(function).parameters.values()
    wanted = [p for p in found if p.kind is p.KEYWORD_ONLY and p.name not in left_out]
    return {p.name: p.default for p in wanted}


def defaults_of(section, *names):
    return {name: section.model_fields[name].default for name in names}


def test_the_schema_knows_the_options_and_defaults_of_what_they_are_given_to():
    rule = options_of(saliency_map)
    assert defaults_of(Rule, *Rule.model_fields) == rule | {"short_sides": []}
    direct = options_of(encode_direct, "max_bytes", "judge", "quality")
    options = {*direct, *options_of(make_mosaic)}
    assert options == {name for method in METHODS.values() for name in method.options}
    assert defaults_of(Method, *options) == direct | options_of(make_mosaic)
    assert set(Method.model_fields) == options | {"method", "map", "budget", "quality"}
    for name, function in (("scenes", write_set), ("categories", write_categories)):
        assert set(MADE[name].model_fields) == set(options_of(function, "seed"))
    heads = {title: (RELEASED, head) for title, head in zip(("MS-ROI", "CAM"), HEADS, strict=True)}
    assert set(MAPS) == {*named_maps(heads), TRUTH}


def test_every_parameter_is_documented_by_a_sentence():
    lines = schema.documentation_of_parameters().splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line and not line.startswith((" ", "fetch.")):
            assert after.startswith("    "), line
    assert "evaluate.quality: a whole number from 1 to 100" in lines
    assert "train.recipe.crop: a number above 0 to 1; 0.4 if left out" in lines
