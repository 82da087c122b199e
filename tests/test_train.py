"""Training: it learns, it is repeatable, and a broken-off run ends as an unbroken one."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from curves import curves, examples, trainer
from PIL import Image
from safetensors.torch import load, save

from msroi.model import Network, load_checkpoint
from msroi.network import load_model
from study.data.registry import DatasetError
from study.rendered import scenes
from study.stages.train import train as train_stage
from study.training.examples import BACKGROUND, Examples, load_examples
from study.training.recipe import Recipe, RecipeError, schedule
from study.training.trainer import Trainer, augment, predict

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("head", ["msroi", "cam"])
def test_a_head_learns_what_can_be_learned(head):
    *_, last = trainer(head, epochs=8).epochs(examples(96, 0), examples(24, 1))
    assert last.epoch == 8
    assert last.validation_accuracy >= 0.9


def with_background(data, count, seed):
    """Examples, and grey ones of no class among them."""
    rng = np.random.default_rng(seed)
    grey = 90 + rng.integers(-30, 30, (count, 32, 32, 3))
    images = np.concatenate([data.images, grey.astype(np.uint8)])
    return Examples(images, np.concatenate([data.labels, np.full(count, BACKGROUND)]))


def test_examples_of_no_class_teach_the_sigmoids_that_nothing_is_there():
    nothing = with_background(examples(0, 0), 24, 2).images
    said = {}
    for count in (0, 48):
        run = trainer("msroi", epochs=8)
        *_, last = run.epochs(with_background(examples(96, 0), count, 3), examples(24, 1))
        assert last.validation_accuracy >= 0.9
        said[count] = torch.sigmoid(predict(run.network.eval(), nothing)).amax(1).mean().item()
    assert said[48] < 0.1
    assert said[0] > 0.5


def test_an_example_of_no_class_lacks_every_class_by_msroi_and_says_nothing_to_cam():
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.3, 0.1, -2.0]])
    labels = torch.tensor([1, BACKGROUND])
    by_hand = torch.nn.functional.softplus(logits)  # of what is not there
    by_hand[0, 1] = 10 * torch.nn.functional.softplus(-logits[0, 1])
    torch.testing.assert_close(trainer("msroi").loss(logits, labels), by_hand.mean())
    cam = trainer("cam")
    torch.testing.assert_close(cam.loss(logits, labels), cam.loss(logits[:1], labels[:1]))
    assert cam.loss(logits[1:], labels[1:]) == 0


def test_a_batch_of_examples_of_no_class_alone_leaves_cam_sound():
    run = trainer("cam", epochs=1, batch_size=4)
    (epoch,) = run.epochs(with_background(examples(3, 0), 9, 1), examples(6, 1))
    assert np.isfinite(epoch.train_loss)
    assert all(tensor.isfinite().all() for tensor in run.network.parameters())


def weights(run):
    return {name: tensor.clone() for name, tensor in run.network.state_dict().items()}


def same(first, second):
    return all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_two_runs_of_one_seed_end_in_the_same_weights():
    ends = []
    for _ in range(2):
        run = trainer()
        list(run.epochs(examples(36, 0), examples(6, 1)))
        ends.append(weights(run))
    assert same(*ends)


def test_frozen_features_stay_bit_for_bit_while_the_head_learns():
    run = trainer(frozen=True)
    before = weights(run)
    list(run.epochs(examples(36, 0), examples(6, 1)))
    changed = {
        name for name, tensor in weights(run).items() if not torch.equal(tensor, before[name])
    }
    assert changed
    assert all(name.startswith("head.") for name in changed)


def resumed(broken):
    """A trainer that takes up another's state, as a new process would."""
    torch.manual_seed(99)
    run = Trainer(Network(broken.network.architecture), broken.recipe)
    run.restore(load(save(broken.state())))
    return run


def break_off(run, data, *, after):
    for epoch in run.epochs(*data):
        if epoch.epoch == after:
            return


def mislabelled():
    """Validation examples whose loss rises while the training's falls."""
    images, labels = examples(12, 1)
    return Examples(images, (labels + 1) % 3)


@pytest.mark.parametrize("patience", [2, 0])
def test_a_run_stops_when_its_patience_is_out_and_without_one_at_its_last_epoch(patience):
    run = trainer("cam", epochs=12, patience=patience)
    losses = [epoch.validation_loss for epoch in run.epochs(examples(36, 0), mislabelled())]
    if patience:
        assert len(losses) < 12
        assert np.argmin(losses) == len(losses) - 3
    else:
        assert len(losses) == 12


@pytest.mark.parametrize("stop_after", [1, 2, 3])
@pytest.mark.parametrize("head, patience", [("msroi", 0), ("cam", 2)])
def test_a_run_that_was_broken_off_ends_as_an_unbroken_one(head, patience, stop_after):
    data = examples(36, 0), mislabelled() if patience else examples(6, 1)
    options = {"epochs": 12 if patience else 4, "patience": patience}
    unbroken, broken = trainer(head, **options), trainer(head, **options)
    ran = len(list(unbroken.epochs(*data)))
    assert ran > 2
    break_off(broken, data, after=stop_after)
    second = resumed(broken)
    rest = list(second.epochs(*data))
    assert [epoch.epoch for epoch in rest] == list(range(stop_after + 1, ran + 1))
    assert second.history == unbroken.history
    assert same(weights(unbroken), weights(second))


def test_two_processes_draw_the_curves_of_one(tmp_path):
    """Batch norm over both, batches that don't halve, and a last one of a single example."""
    out = tmp_path / "curves.json"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*torchrun, "--nproc-per-node", "2", ROOT / "tests/curves.py", out]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    processes, together = json.loads(out.read_text())
    assert processes == 2
    for one, two in zip(curves(), together, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-4)


def test_bfloat16_trains_close_to_float32_and_what_is_no_precision_is_refused_by_name():
    data = examples(24, 0), examples(6, 1)
    single = [epoch.train_loss for epoch in trainer(learning_rate=1e-4).epochs(*data)]
    half = trainer(learning_rate=1e-4, precision="bfloat16")
    losses = [epoch.train_loss for epoch in half.epochs(*data)]
    assert losses != single
    np.testing.assert_allclose(losses, single, rtol=0.02)
    assert {tensor.dtype for tensor in half.network.parameters()} == {torch.float32}
    with pytest.raises(RecipeError, match="precision is 'float16'; it must be one of"):
        Recipe(epochs=1, precision="float16")


def test_the_bar_tells_the_time_that_is_left(capsys):
    list(trainer(epochs=1).epochs(examples(24, 0), examples(6, 1)))
    assert re.search(r"2/2 \[\d\d:\d\d<\d\d:\d\d", capsys.readouterr().err)


def test_a_state_of_another_network_is_refused():
    other = trainer("cam")
    with pytest.raises(RuntimeError):
        trainer("msroi").restore(other.state())


def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero():
    rates = [schedule(step / 100, 0.1) for step in range(101)]
    assert np.argmax(rates) == 10
    assert max(rates) == pytest.approx(1, abs=1e-6)
    assert rates[-1] == pytest.approx(0, abs=1e-6)


def test_augmented_pixels_stay_pixels_and_follow_the_seed():
    pixels = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    recipe = Recipe(epochs=1)
    first, again, other = (
        augment(pixels, recipe, torch.Generator().manual_seed(seed)) for seed in (2, 2, 3)
    )
    assert first.shape == pixels.shape
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_recipe_without_augmentation_only_flips():
    pixels = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    recipe = Recipe(epochs=1, crop=1.0, colour=0.0, aspect=0.0)
    out = augment(pixels, recipe, torch.Generator().manual_seed(2))
    for before, after in zip(pixels, out, strict=True):
        flipped = torch.allclose(after, before.flip(2), atol=1e-5)
        assert flipped or torch.allclose(after, before, atol=1e-5)


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A folder with a few scenes and parameters that train on them."""
    scenes.write_set(
        tmp_path / "data/raw/scenes",
        train=24,
        train_size=(32, 32),
        test_per_count=1,
        test_size=(32, 32),
        seed=1,
    )
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["train"] |= {"size": 32}
    params["train"]["heads"]["cam"]["recipe"]["epochs"] = 2
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("at", ["msroi.model.save_checkpoint", "study.training.export.export"])
def test_a_run_killed_after_its_last_epoch_still_writes_its_files(study, monkeypatch, at):
    """The state is there, no epoch is left to do, and the curves are as they were."""

    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    with monkeypatch.context() as context, pytest.raises(Killed):
        context.setattr(at, killed)
        train_stage("cam", resume=False)
    assert not (study / "models/cam.onnx").exists()
    train_stage("cam", resume=True)
    result = load_checkpoint(study / "models/cam.safetensors").metadata["result"]
    last = json.loads((study / "reports/training/cam/metrics.json").read_text())
    assert last == result | {"epoch": 2, "step": 1}
    assert files_of(study / "models") == ["cam.onnx", "cam.safetensors"]


def files_of(folder):
    return sorted(path.name for path in folder.iterdir())


@torch.inference_mode()
def test_the_stage_writes_the_same_network_for_torch_and_for_maps(study):
    with torch.inference_mode(False):
        train_stage("cam", resume=False)
        train_stage("msroi", resume=False)
    assert files_of(study / "models") == [
        f"{head}.{kind}" for head in ("cam", "msroi") for kind in ("onnx", "safetensors")
    ]
    pixels = np.random.default_rng(0).random((1, 3, 64, 64), np.float32)
    for head in ("cam", "msroi"):
        own = load_checkpoint(study / f"models/{head}.safetensors")
        model = load_model(study / f"models/{head}.onnx", head)
        assert (model.head, model.classes) == (head, own.architecture.classes)
        assert model.trained == own.metadata
        assert model.trained["size"] == 32
        cells = model(pixels)
        maps, logits = own(torch.from_numpy(pixels))
        np.testing.assert_allclose(cells.maps, maps, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(cells.logits, logits, rtol=1e-3, atol=1e-4)


@pytest.fixture
def with_no_class(study):
    """The study on a set of two classes and a folder of images of none."""
    rng = np.random.default_rng(1)
    for folder, count in {"ant": 6, "bee": 6, "BACKGROUND_Google": 5}.items():
        path = study / "data/raw/caltech101" / folder
        path.mkdir(parents=True)
        for index in range(count):
            pixels = rng.integers(0, 256, (40, 36, 3), np.uint8)
            Image.fromarray(pixels).save(path / f"image_{index:04}.jpg")
    return changed(study, data="caltech101")


def changed(study, background=True, **section):
    params = yaml.safe_load((study / "params.yaml").read_text())
    params["train"] |= section
    params["train"]["heads"]["cam"] |= {"background": background}
    (study / "params.yaml").write_text(yaml.safe_dump(params))
    return study


@pytest.mark.parametrize("background", [True, False])
def test_images_of_no_class_enter_the_training_alone_and_only_where_params_say_so(
    with_no_class, monkeypatch, background
):
    changed(with_no_class, background)
    loaded = []

    def recorded(*arguments, **options):
        loaded.append(load_examples(*arguments, **options))
        return loaded[-1]

    monkeypatch.setattr("study.training.examples.load_examples", recorded)
    train_stage("cam", resume=False)
    labels = [examples.labels.tolist() for examples in loaded]
    assert labels == [[0] * 5 + [1] * 5 + [BACKGROUND] * (5 * background), [0, 1]]
    split = json.loads((with_no_class / "reports/training/cam/split.json").read_text())
    assert not any("BACKGROUND" in name for part in split.values() for name in part)
    assert load_model(with_no_class / "models/cam.onnx", "cam").classes == ("ant", "bee")


def test_images_that_training_skipped_as_broken_are_named_beside_the_split(with_no_class):
    changed(with_no_class, background=False)
    params = yaml.safe_load(Path("params.yaml").read_text()) | {"broken": "skip"}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    Path("data/raw/caltech101/ant/image_0003.jpg").write_bytes(b"no image")
    train_stage("cam", resume=False)
    split = json.loads(Path("reports/training/cam/split.json").read_text())
    assert split["skipped"] == ["ant/image_0003.jpg"]
    assert (len(split["train"]), len(split["validation"])) == (9, 2)


def test_a_set_without_images_of_no_class_is_told_what_to_set(study):
    changed(study)
    with pytest.raises(DatasetError, match=r"no images of no class: set .*background: false"):
        train_stage("cam", resume=False)
    assert not (study / "models").exists()
