"""Whatever is given to `encode`, it is taken, or told of in a sentence of ours."""

import numpy as np
import pytest
from commands import DRAWN, PHOTO
from PIL import Image

from msroi import encode
from msroi.encoder import METHODS, BudgetError, TargetError
from msroi.errors import ArgumentError

NO_TEXT = [None, b"x", [], {}, (1,), 1.5, -1, True, float("nan"), 1j, np.array([1, 2]), ...]
NO_NUMBER = ["50", "x", b"x", [], {}, (1,), float("nan"), True, 1j, np.array([1, 2]), ...]
NO_WHOLE = [*NO_NUMBER, 1.5, 50.5, float("inf"), np.float32(3)]
NO_ARRAY = ["x", b"x", [], [[1]], {}, (1,), 1.5, True, ..., Image.fromarray(PHOTO)]
WRONG = {
    "image": [None, *NO_ARRAY],
    "saliency": [*NO_ARRAY, np.zeros(3), np.array("x"), DRAWN.astype(complex), DRAWN > 0],
    "method": ["jpeg2000", *NO_TEXT],
    "quality": [0, 101, -1, 10**400, *NO_WHOLE],
    "max_bytes": [*NO_WHOLE, -float("inf")],
    "target": [0, 100, -1, 10**400, float("inf"), *NO_NUMBER],
    "strength": [-1, 100.5, float("inf"), 10**400, None, *NO_NUMBER],
    "tune": ["ssim", *NO_TEXT],
    "subsampling": ["4:1:1", *NO_TEXT],
    "progressive": [None, 0, 1, "no", [], np.array([True, False]), ...],
    "levels": [0, 1, 101, -3, 10**400, None, *NO_WHOLE],
    "q_low": [0, 71, 101, None, *NO_WHOLE],
    "q_high": [0, 101, None, *NO_WHOLE],
    "split": ["odd", *NO_TEXT],
    "untouched": [-1, 6, 10**400, None, *NO_WHOLE],
}


def calls():
    for name, values in WRONG.items():
        methods = [m for m in ("direct", "mosaic", "standard") if name in METHODS[m].options]
        general = name in ("image", "saliency", "quality", "max_bytes", "target")
        for method in ("direct", "mosaic", "standard") if general else methods or [None]:
            for value in values:
                yield method, name, value


@pytest.mark.parametrize(("method", "name", "value"), list(calls()), ids=lambda v: ascii(v)[:24])
def test_a_wrong_argument_is_named_in_a_sentence(method, name, value):
    given = {"image": PHOTO, "saliency": DRAWN, "method": method} | {name: value}
    subject = {"image": "an image", "saliency": "a map"}.get(name, name)
    with pytest.raises(ArgumentError, match=rf"^(unknown )?{subject} ") as caught:
        encode(given.pop("image"), given.pop("saliency"), **given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", ["direct", "mosaic", "standard"])
def test_numbers_of_numpy_are_numbers(method):
    expected = encode(PHOTO, DRAWN, method=method, max_bytes=3000)
    assert encode(PHOTO, DRAWN, method=method, max_bytes=np.int64(3000)) == expected
    assert encode(PHOTO, DRAWN, method=method, quality=np.uint8(50))
    if method == "direct":
        assert encode(PHOTO, DRAWN, strength=np.float32(3), progressive=np.True_)


def test_a_budget_may_be_as_large_or_small_as_it_will():
    assert encode(PHOTO, DRAWN, max_bytes=10**400)
    for nothing in (0, -1, -(10**400)):
        with pytest.raises(BudgetError):
            encode(PHOTO, DRAWN, max_bytes=nothing)
    with pytest.raises(TargetError):
        encode(PHOTO, DRAWN, target=99.999)


def test_an_option_that_a_method_has_not_is_a_type_error():
    with pytest.raises(TypeError, match="method 'standard' has no option 'tune'"):
        encode(PHOTO, method="standard", tune="hvs")
