"""Wrong files made of true parameters; `make fuzz` tries a thousand.

Each is made by one fault that the schema must find: a key dropped or misspelt, a value of another
type or out of its range, something named that is nowhere, a file that is empty, cut short or says
something twice.
"""

import copy
from collections.abc import Iterator

import numpy as np
import yaml

from msroi.errors import InputError
from study import schema
from study.params import parsed

# Sections whose keys are names of one's own; and keys that may be left out
NAMING = ("datasets", "fetch", "publish", "findings", "evaluate.runs", "evaluate.methods")
NAMING += ("train.heads", *(f"notebook.{group}" for group in ("results", "sets", "verdict")))
NEEDED = ("set", "methods", "heads", "features", "every", "short_sides", "top", "count", "size")
NAMED = ("set", "methods", "method", "map", "data", "select", "evidence", "tune", "split")
OTHER = {  # values of other types than the key's
    str: [["a"], 7, {"a": 1}, True],
    bool: ["maybe", 2, [True]],
    int: ["many", [1], {"a": 1}, True],
    float: ["much", [0.5], {"a": 1}],
    list: ["a", 7, {"a": 1}, []],
    dict: ["a", 7, ["a"]],
    type(None): [{"a": 1}, 2.5, True],
}
MAY_BE_EMPTY = ("objects", "top", "widths", "sides")


def wrong_files(params: dict, count: int, *, seed: int) -> Iterator[tuple[str, str]]:
    """Yield ``count`` pairs of a fault, in words, and the text of a params.yaml that has it."""
    rng = np.random.default_rng(seed)
    makers = [_dropped, _misspelt, _of_another_type, _negative, _of_no_name, _cut, _doubled]
    for _ in range(count):
        yield makers[rng.integers(len(makers))](copy.deepcopy(params), rng)


def accepted(params: dict, count: int, *, seed: int = 0) -> list[str]:
    """The faults, of ``count``, that end otherwise than in one line for the user."""
    found = []
    for fault, text in wrong_files(params, count, seed=seed):
        try:
            schema.check(parsed(text))
            found.append(f"{fault}: accepted")
        except InputError as error:
            if len(str(error).splitlines()) != 1 or "params.yaml" not in str(error):
                found.append(f"{fault}: told as {str(error)!r}")
        except Exception as error:
            found.append(f"{fault}: {type(error).__name__}: {error}")
    return found


def _places(params: dict, path: tuple = ()) -> Iterator[tuple[tuple, dict | list, str | int]]:
    """Path, holder and key of everything in the parameters."""
    pairs = enumerate(params) if isinstance(params, list) else params.items()
    for key, value in pairs:
        yield (*path, key), params, key
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


def _chosen(params: dict, rng, wanted) -> tuple[str, dict | list, str | int]:
    places = [place for place in _places(params) if wanted(*place)]
    path, holder, key = places[rng.integers(len(places))]
    return ".".join(map(str, path)), holder, key


def _is_ones_own(path: tuple) -> bool:
    """Whether a key is a name that may be any."""
    holder = ".".join(map(str, path[:-1]))
    return holder in NAMING or (holder.startswith("evaluate.methods.") and len(path) == 4)


def _dropped(params, rng):
    path, holder, key = _chosen(
        params, rng, lambda p, h, k: len(p) == 1 or (k in NEEDED and p[0] != "notebook")
    )
    del holder[key]
    return f"without {path}", yaml.safe_dump(params, sort_keys=False)


def _misspelt(params, rng):
    path, holder, key = _chosen(
        params,
        rng,
        lambda p, h, k: isinstance(k, str) and not _is_ones_own(p),
    )
    holder[f"{key[0]}x{key[1:]}"] = holder.pop(key)
    return f"misspelt {path}", yaml.safe_dump(params, sort_keys=False)


def _of_another_type(params, rng):
    path, holder, key = _chosen(params, rng, lambda p, h, k: p[0] != "notebook")
    others = [v for v in OTHER[type(holder[key])] if v != [] or key not in MAY_BE_EMPTY]
    holder[key] = value = others[rng.integers(len(others))]
    return f"{path} is {value!r}", yaml.safe_dump(params, sort_keys=False)


def _negative(params, rng):
    path, holder, key = _chosen(
        params, rng, lambda p, h, k: type(h[k]) in (int, float) and k != "threshold"
    )
    holder[key] = value = -abs(holder[key]) - 1
    return f"{path} is {value}", yaml.safe_dump(params, sort_keys=False)


def _of_no_name(params, rng):
    path, holder, key = _chosen(params, rng, lambda p, h, k: k in NAMED and isinstance(h[k], str))
    holder[key] = "nowhere"
    return f"{path} is nowhere", yaml.safe_dump(params, sort_keys=False)


def _cut(params, rng):
    text = yaml.safe_dump(params, sort_keys=False)
    last = text.rindex(f"\n{list(params)[-1]}:")
    length = int(rng.integers(last))  # all sections are needed
    return f"cut after {length} characters", text[:length]


def _doubled(params, rng):
    lines = yaml.safe_dump(params, sort_keys=False).splitlines()
    keys = [n for n, line in enumerate(lines) if ":" in line and not line.lstrip().startswith("-")]
    place = keys[rng.integers(len(keys))]
    key = lines[place].partition(":")[0]
    return f"{key.strip()} twice", "\n".join([*lines[:place], f"{key}: 1", *lines[place:]])
