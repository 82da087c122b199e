"""The network that ONNX Runtime runs: what torch computes, and the files that are refused."""

import json
import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from networks import alive, exported, network
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from msroi import cli, saliency_map
from msroi import network as module
from msroi.errors import ArgumentError
from msroi.network import HEADS, METADATA_KEY, Cells, NetworkError, checksum, load_model
from study.training.export import ExportError, Views, excess, export

ROOT = Path(__file__).parent.parent
LITE = {"backbone": "efficientnet-lite0"}
OTHERS = [{"head": "cam"}, {"maps_per_class": 2, "activation": "softplus", "evidence": "signed"}]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file of both heads, as they are before training."""
    path = tmp_path_factory.mktemp("models") / "both.onnx"
    exported(path, *(network(head) for head in HEADS))
    return path


@pytest.fixture
def copy(file, tmp_path):
    """A copy of that file, to be spoiled."""
    path = tmp_path / "mine.onnx"
    path.write_bytes(file.read_bytes())
    return path


@pytest.fixture
def photo_file(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(picture(48, 80)).save(path)
    return path


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def pixels_of(*shape, seed=0):
    return np.random.default_rng(seed).random((shape[0], 3, *shape[1:]), np.float32)


# --- what torch computes ---------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, LITE, *OTHERS], ids=str)
@torch.inference_mode()
def test_a_file_gives_what_torch_gives_of_images_of_any_size_and_number(tmp_path, options):
    net = alive(network(**options))
    model = exported(tmp_path / "own.onnx", net)
    for shape in [(1, 64, 96), (1, 32, 32), (3, 160, 64), (2, 96, 224)]:
        pixels = pixels_of(*shape)
        for name, by_torch, found in zip(
            Cells._fields, Views([net])(torch.from_numpy(pixels)), model(pixels), strict=True
        ):
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, by_torch, rtol=1e-4, atol=1e-4, err_msg=name)


@torch.inference_mode()
def test_both_heads_of_a_file_give_what_torch_gives(tmp_path):
    nets = {head: network(head, **LITE) for head in HEADS}
    exported(tmp_path / "both.onnx", *nets.values())
    pixels = pixels_of(2, 64, 96)
    for head, net in nets.items():
        cells = load_model(tmp_path / "both.onnx", head)(pixels)
        maps, logits = net(torch.from_numpy(pixels))
        np.testing.assert_allclose(cells.maps, maps, atol=1e-4)
        np.testing.assert_allclose(cells.logits, logits, atol=1e-4)


@torch.inference_mode()
def test_the_cells_are_those_of_the_features(tmp_path):
    """By their definitions, from the two layers that torch gives."""
    net = alive(network())
    pixels = pixels_of(2, 64, 96)
    cells = exported(tmp_path / "own.onnx", net)(pixels)
    middle, top = (layer.numpy() for layer in net.features(torch.from_numpy(pixels)))
    near = partial(np.testing.assert_allclose, atol=1e-4)
    near(cells.energy, np.abs(top).mean(1))
    near(cells.middle_energy, np.abs(middle).mean(1))
    over = np.maximum(middle - middle.mean((2, 3), keepdims=True), 0)
    near(cells.middle_excess, over.mean(1))
    over = np.maximum(top - top.mean((2, 3), keepdims=True), 0)
    near(cells.excess_maps, net.head.class_maps(torch.from_numpy(over**2)))
    assert cells.maps.shape == cells.excess_maps.shape == (2, 3, 2, 3)
    assert cells.middle_energy.shape == cells.middle_excess.shape == (2, 4, 6)


def test_what_is_the_same_everywhere_exceeds_nothing():
    features = torch.ones(1, 2, 3, 4)
    features[0, 1, 0, 0] = 13
    over = excess(features)
    assert (over[0, 0] == 0).all()
    assert over[0, 1, 0, 0] == 11 and over.sum() == 11  # the mean is 2


@pytest.mark.parametrize("options", [{}, LITE], ids=str)
def test_half_precision_halves_the_file_and_stays_near(tmp_path, options):
    net = alive(network(**options))
    whole = exported(tmp_path / "whole.onnx", net)
    half = exported(tmp_path / "half.onnx", net, half=True)
    sizes = {name: (tmp_path / f"{name}.onnx").stat().st_size for name in ("whole", "half")}
    if options:  # of the tiny one the graph is most
        assert sizes["half"] < 0.55 * sizes["whole"]
    pixels = pixels_of(1, 64, 96)
    for exact, near in zip(whole(pixels), half(pixels), strict=True):
        assert near.dtype == np.float32
        np.testing.assert_allclose(near, exact, rtol=0.02, atol=0.02 * np.abs(exact).max())


def test_one_head_is_taken_as_it_is_and_of_two_the_one_that_is_named(file, tmp_path):
    alone = tmp_path / "cam.onnx"
    exported(alone, network("cam"))
    assert load_model(alone).head == load_model(alone, "cam").head == "cam"
    models = {head: load_model(file, head) for head in HEADS}
    assert {head: model.head for head, model in models.items()} == {head: head for head in HEADS}
    pixels = pixels_of(1, 64, 64)
    first, second = (models[head](pixels) for head in HEADS)
    assert not np.array_equal(first.maps, second.maps)
    np.testing.assert_array_equal(first.energy, second.energy)


def test_a_file_says_how_each_head_was_trained(tmp_path):
    first, second = network(), network("cam")
    first.metadata, second.metadata = {"size": 96, "seed": 7}, {"size": 64}
    export([first, second], tmp_path / "both.onnx", commit="abc")
    model = load_model(tmp_path / "both.onnx")
    assert model.trained == {"size": 96, "seed": 7}
    assert model.metadata["commit"] == "abc"
    assert model.classes == ("a", "b", "c")
    assert load_model(tmp_path / "both.onnx", "cam").trained == {"size": 64}


def test_natural_sides_are_those_of_the_size_and_no_cell_is_lost(tmp_path):
    assert exported(tmp_path / "a.onnx", network(), size=224).natural_sides() == (160, 320, 640)
    assert exported(tmp_path / "b.onnx", network(), size=28).natural_sides() == (32, 40, 80)


@pytest.mark.parametrize(
    ("size", "seen"),
    [((64, 64), (64, 64)), ((100, 50), (128, 64)), ((50, 101), (64, 129)), ((1, 640), (2, 1024))],
)
def test_a_network_looks_at_an_image_whose_short_side_is_scaled(file, size, seen):
    cells, theirs = load_model(file).look([picture(*size)], 64)
    assert theirs == seen
    h, w = (-(-length // 32) for length in seen)
    assert cells.maps.shape == (1, 3, h, w)
    assert cells.middle_excess.shape == (1, 2 * h, 2 * w)


def test_what_fills_an_image_up_is_its_own_border(file):
    image = picture(64, 80)
    filled = np.pad(image, [(0, 0), (0, 16), (0, 0)], mode="edge")
    model = load_model(file)
    for own, by_hand in zip(model.look([image], 64)[0], model.look([filled], 64)[0], strict=True):
        np.testing.assert_array_equal(own, by_hand)


def test_top_classes_are_named_most_evident_first(file):
    model, image = load_model(file), picture(64, 64)
    logits = model.look([image], 64)[0].logits[0]
    names = model.top_classes(image, k=3)
    assert names == [model.classes[index] for index in np.argsort(-logits)]
    assert model.top_classes(image, k=2) == names[:2]
    with pytest.raises(ArgumentError):
        model.top_classes(image[..., 0])


def test_a_checksum_is_that_of_the_bytes(file, copy):
    assert checksum(file) == checksum(str(copy))
    copy.write_bytes(copy.read_bytes() + b" ")
    assert checksum(file) != checksum(copy)
    with pytest.raises(NetworkError, match=r"no\.onnx is no file"):
        checksum("no.onnx")


@pytest.mark.parametrize("options", [{"widths": (4, 4, 4, 8, 4)}, {"norm": "none"}, LITE], ids=str)
def test_heads_on_other_features_are_not_put_in_one_file(tmp_path, options):
    with pytest.raises(ExportError, match="differ in features or classes"):
        exported(tmp_path / "both.onnx", network(), network("cam", **options))
    assert list(tmp_path.iterdir()) == []


def test_heads_of_other_classes_or_values_are_not_put_in_one_file(tmp_path):
    other = network("cam")
    with torch.no_grad():
        other.features[1].weight[0, 0, 0, 0] += 1
    for second in (other, network("cam", classes=("a", "b", "d"))):
        with pytest.raises(ExportError, match="differ in features or classes"):
            exported(tmp_path / "both.onnx", network(), second)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_whose_weights_are_no_numbers_is_not_exported(tmp_path, value):
    net = network()
    net.head.threshold.data[1] = value
    with pytest.raises(ExportError, match="no finite number"):
        exported(tmp_path / "own.onnx", net)
    assert list(tmp_path.iterdir()) == []


def test_weights_too_large_for_half_precision_are_not_exported(tmp_path):
    net = network()
    net.head.threshold.data[1] = 1e5
    with pytest.raises(ExportError, match="half precision"):
        exported(tmp_path / "own.onnx", net, half=True)
    assert exported(tmp_path / "own.onnx", net)(pixels_of(1, 32, 32)).logits[0, 1] < -9e4


# --- files that are refused ------------------------------------------------------------


class Opens:
    """Unpickled, it creates a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def spoiled(path, change):
    """Change the graph of a file."""
    model = onnx.load(path)
    change(model)
    path.write_bytes(model.SerializeToString())


def foreign(path):
    """Somebody else's network, which runs."""
    names = [("pixels", [1, 3, "h", "w"]), ("out", [1, 3, "h", "w"])]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in names]
    graph = helper.make_graph([helper.make_node("Relu", ["pixels"], ["out"])], "g", *zip(values))
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def told_otherwise(path, **changes):
    """Let the file's metadata say something else; None leaves it out."""

    def change(model):
        (entry,) = (entry for entry in model.metadata_props if entry.key == METADATA_KEY)
        told = {k: v for k, v in (json.loads(entry.value) | changes).items() if v is not None}
        entry.value = json.dumps(told)

    spoiled(path, change)


def kept_outside(path):
    onnx.save_model(
        onnx.load(path), path, save_as_external_data=True, location="w.bin", size_threshold=0
    )


def constant_outside(path):
    """A constant node whose value lies in another file, where weights are not looked for."""

    def change(model):
        tensor = numpy_helper.from_array(np.zeros(4, np.float32), "outside")
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="w.bin")
        (path.parent / "w.bin").write_bytes(bytes(16))
        node = helper.make_node("Constant", [], ["outside"], value=tensor)
        model.graph.node.insert(0, node)
        model.graph.output.append(helper.make_tensor_value_info("outside", TensorProto.FLOAT, [4]))

    spoiled(path, change)


def custom_operator(path):
    def change(model):
        model.opset_import.append(helper.make_opsetid("com.elsewhere", 1))
        node = helper.make_node("Anything", ["pixels"], ["any"], domain="com.elsewhere")
        model.graph.node.append(node)
        model.graph.output.append(helper.make_tensor_value_info("any", TensorProto.FLOAT, None))

    spoiled(path, change)


def without_an_output(path):
    def change(model):
        del model.graph.output[0]

    spoiled(path, change)


def of_other_outputs(path):
    """Another value under the name of the logits."""

    def change(model):
        for node in model.graph.node:
            for index, name in enumerate(node.output):
                if name in ("msroi_logits", "energy"):
                    node.output[index] = {"msroi_logits": "energy", "energy": "msroi_logits"}[name]

    spoiled(path, change)


def cut(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])


def pickled(path):
    path.write_bytes(pickle.dumps(Opens(path.with_name("made"))))


def torch_pickled(path):
    torch.save({"a": Opens(path.with_name("made"))}, path)


def a_folder(path):
    path.unlink()
    path.mkdir()


def huge(path):
    with path.open("r+b") as file:
        file.truncate(module.LARGEST_BYTES + 1)  # sparse


IS_NONE = "is not a network that msroi can read"
REFUSED = {
    "missing": (Path.unlink, "is no file"),
    "folder": (a_folder, "is no file"),
    "empty": (lambda path: path.write_bytes(b""), IS_NONE),
    "text": (lambda path: path.write_text("no network"), IS_NONE),
    "png": (lambda path: Image.new("RGB", (9, 9)).save(path, "PNG"), IS_NONE),
    **{
        f"cut to {share}": (partial(cut, share=share), IS_NONE) for share in (0.1, 0.5, 0.9, 0.9999)
    },
    "pickle": (pickled, IS_NONE),
    "torch": (torch_pickled, IS_NONE),
    "foreign": (foreign, IS_NONE),
    "huge": (huge, "no network of msroi has more than"),
    "external": (kept_outside, "keeps its weights in other files"),
    "external constant": (constant_outside, "keeps its weights in other files"),
    "custom operator": (custom_operator, IS_NONE),
    "an output less": (without_an_output, IS_NONE),
    "other outputs": (of_other_outputs, IS_NONE),
    "no head": (partial(told_otherwise, trained={}), IS_NONE),
    "no training": (partial(told_otherwise, trained=None), IS_NONE),
    "no classes": (partial(told_otherwise, classes=None), IS_NONE),
    "a class more": (partial(told_otherwise, classes=list("abcd")), IS_NONE),
    "no size": (partial(told_otherwise, trained={"msroi": {}}), IS_NONE),
    "size in words": (partial(told_otherwise, trained={"msroi": {"size": "large"}}), IS_NONE),
    "size in text": (partial(told_otherwise, trained={"msroi": {"size": "64"}}), IS_NONE),
    "size of a part": (partial(told_otherwise, trained={"msroi": {"size": 64.5}}), IS_NONE),
    "size of a truth": (partial(told_otherwise, trained={"msroi": {"size": True}}), IS_NONE),
    "size of nothing": (partial(told_otherwise, trained={"msroi": {"size": 0}}), IS_NONE),
    "size below nothing": (partial(told_otherwise, trained={"msroi": {"size": -64}}), IS_NONE),
    "size of no number": (partial(told_otherwise, trained={"msroi": {"size": np.nan}}), IS_NONE),
    "size in a list": (partial(told_otherwise, trained={"msroi": {"size": [64]}}), IS_NONE),
    "heads in a list": (partial(told_otherwise, trained=["msroi"]), IS_NONE),
    "training of text": (partial(told_otherwise, trained={"msroi": "64"}), IS_NONE),
    "classes of letters": (partial(told_otherwise, classes="abc"), IS_NONE),
    "classes of numbers": (partial(told_otherwise, classes=[1, 2, 3]), IS_NONE),
    "classes in a table": (partial(told_otherwise, classes={"a": 1, "b": 2, "c": 3}), IS_NONE),
    "size of a wall": (partial(told_otherwise, trained={"msroi": {"size": 10**7}}), IS_NONE),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_is_no_network_is_refused_in_one_line_and_nothing_is_run(
    copy, kind, photo_file, capfd, monkeypatch
):
    """By the function and by the command alike."""
    spoil, words = REFUSED[kind]
    spoil(copy)
    with pytest.raises(NetworkError) as refused:
        load_model(copy)
    message = str(refused.value)
    assert message.startswith(str(copy)) and words in message
    assert "\n" not in message
    monkeypatch.chdir(copy.parent)  # where weights of other files would be found
    line = ["msroi", "map", str(photo_file), "-o", "out.png", "--model", str(copy)]
    monkeypatch.setattr(sys, "argv", line)
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    assert capfd.readouterr() == ("", f"msroi: {message}\n")
    assert not copy.with_name("made").exists()
    assert not copy.with_name("out.png").exists()


def floats_of(path):
    weights = onnx.load(path).graph.initializer
    return [w.name for w in weights if numpy_helper.to_array(w).dtype.kind == "f"]


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_weight_that_is_no_number_is_enough_to_be_refused(tmp_path, half, value):
    path = tmp_path / "own.onnx"
    exported(path, *(network(head) for head in HEADS), half=half)
    names = floats_of(path)
    assert len(names) >= 15
    whole = path.read_bytes()
    for name in names:

        def change(model, name=name):
            (weight,) = (w for w in model.graph.initializer if w.name == name)
            array = numpy_helper.to_array(weight).copy()
            array.flat[-1] = value
            weight.CopyFrom(numpy_helper.from_array(array, name))

        path.write_bytes(whole)
        spoiled(path, change)
        with pytest.raises(NetworkError, match=r"own\.onnx has weights that are no finite numbers"):
            load_model(path)


LITTLE_MEMORY = """
import re, resource, sys
from pathlib import Path
import numpy as np
from msroi.network import load_model
network = load_model(sys.argv[1])
used = int(re.search(r"VmSize:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1]) << 10
resource.setrlimit(resource.RLIMIT_AS, (used + (30 << 20), -1))
try:
    network(np.zeros((1, 3, 1600, 1600), np.float32))
except MemoryError:
    print("MemoryError")
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="of Linux's /proc")
def test_a_want_of_memory_is_called_that(file):
    done = python(LITTLE_MEMORY, file)
    assert (done.stdout, done.returncode) == (b"MemoryError\n", 0), done.stderr


def test_a_file_that_may_not_be_read_is_named(copy, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(NetworkError, match=r"mine\.onnx cannot be read \(Permission denied\)"):
        load_model(copy)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"head": "fc"}, "head is 'fc'; it must be one of msroi, cam"),
        ({"device": "tpu"}, "device is 'tpu'; it must be one of auto, cpu, cuda"),
    ],
)
def test_an_unknown_head_or_device_is_refused_by_name(file, options, words):
    with pytest.raises(ArgumentError, match=words):
        load_model(file, **options)


HAS_GPU = "CUDAExecutionProvider" in onnxruntime.get_available_providers()


@pytest.mark.skipif(HAS_GPU, reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused_and_auto_does_without(file):
    with pytest.raises(ArgumentError, match="say auto or cpu"):
        load_model(file, device="cuda")
    image = picture(64, 96)
    maps = [saliency_map(image, load_model(file, device=device)) for device in ("auto", "cpu")]
    np.testing.assert_array_equal(*maps)


@pytest.mark.skipif(not HAS_GPU, reason="there is no GPU")
def test_a_gpu_draws_nearly_the_cpus_map(file):
    image = picture(150, 200)
    maps = [saliency_map(image, load_model(file, device=device)) for device in ("cpu", "cuda")]
    np.testing.assert_allclose(maps[1], maps[0], atol=0.03)


# --- in processes of their own ---------------------------------------------------------

DRAW = """
import sys
for name in ("torch", "safetensors", "onnx" if sys.argv[3] == "bare" else "torch"):
    sys.modules[name] = None  # an import of it raises
import msroi, numpy
from msroi.images import decode, luma, read_pixels
from msroi.network import load_model
photo = read_pixels(sys.argv[2])
saliency = msroi.saliency_map(photo, load_model(sys.argv[1]))
data = msroi.encode(photo, saliency, quality=50)
again = luma(decode(data))
before = luma(photo)
values = [msroi.metrics.psnr(before, again), msroi.metrics.psnr_s(before, again, saliency)]
assert not any(name.partition(".")[0] in ("torch", "safetensors") and sys.modules[name]
               for name in sys.modules)
sys.stdout.buffer.write(saliency.tobytes() + data + numpy.array(values).tobytes())
"""


def python(code, *arguments, **environment):
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    env = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(command, env=env, capture_output=True)


def test_a_map_is_drawn_encoded_and_measured_without_torch_and_nothing_is_said(file, photo_file):
    done = python(DRAW, file, photo_file, "tool")
    assert (done.returncode, done.stderr.decode()) == (0, "")
    here = saliency_map(np.asarray(Image.open(photo_file)), load_model(file))
    assert done.stdout[: here.nbytes] == here.tobytes()
    assert done.stdout[here.nbytes :][:2] == b"\xff\xd8"


@pytest.mark.parametrize("threads", ["", "1,2", "many"])
def test_whatever_omp_num_threads_says_a_network_loads_and_draws_the_same_map(
    file, photo_file, threads
):
    done = python(DRAW, file, photo_file, "tool", OMP_NUM_THREADS=threads)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    here = saliency_map(np.asarray(Image.open(photo_file)), load_model(file))
    assert done.stdout[: here.nbytes] == here.tobytes()


@pytest.mark.parametrize("spoil", [cut, foreign, custom_operator], ids=lambda f: f.__name__)
def test_the_programme_says_one_line_of_a_file_that_is_none(copy, photo_file, spoil):
    """In its own process, where what ONNX Runtime prints by itself is seen too."""
    spoil(copy, 0.5) if spoil is cut else spoil(copy)
    code = "from msroi.cli import main; main()"
    out = photo_file.with_name("out.png")
    done = python(code, "map", photo_file, "-o", out, "--model", copy)
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b"")
    assert said.count("\n") == 1 and said.startswith(f"msroi: {copy} is not a network")
