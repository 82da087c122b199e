"""What the heads find in an image set: `python -m study find`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from tqdm import tqdm

from msroi.files import write_atomically
from msroi.saliency import OWN, named_maps, network_map
from study.params import RAW, StudyError, as_csv, as_json, heads_in, places_of, read_params


def find(
    name: Annotated[str, typer.Argument(help="An image set in data/raw.")],
    to: Annotated[Path | None, typer.Option(help="Folder of the tables' folder.")] = None,
) -> None:
    """Measure what each head finds in a set; writes findings/<set>/heads.csv.

    By what is known of the set's images: agreement with the fixations (of CAT2000, which has a map
    of them and no points, by CC and similarity); the share of objects found; or else top-1 accuracy
    and average precision by class, on the images that training held out. Of
    photographs whose objects are outlined, precision and recall go to curves.csv beside it. Of test
    scenes whose heads learned from their training scenes, the classes go to classes.csv. The
    heads are those that findings.<set> of params.yaml names, or the released ones.
    """
    from msroi.network import HEADS, RELEASED
    from study.data.registry import source
    from study.data.sets import intact, load
    from study.measure import findings

    params = read_params()
    section, folder = params["findings"].get(name, {}), to or places_of(params).findings
    heads = heads_in(section.get("heads", dict.fromkeys(HEADS, RELEASED)))
    images = intact(load(name, RAW / name, subset="test"), broken=params["broken"])
    typer.echo(images.summary())
    judged = any(item.fixations or item.objects for item in images)  # CAT2000 has classes too
    if not judged:
        rows = _classified(images, heads)
    else:
        maps = named_maps(heads, **params["saliency"]["rule"])
        rows = tqdm(findings.found(images, maps), desc=f"find {images.name}", unit="row")
    _write(rows, folder / name / "heads.csv", curves="curves.csv", by=["map"])
    if "train" in source(name).subsets and _learned_from(name, heads):
        taught = intact(load(name, RAW / name, subset="train"), broken=params["broken"])
        _write(_classified(taught, heads), folder / name / "classes.csv")
    if "settings" in section:
        rows = _found_by_setting(images, heads[OWN], **section["settings"])
        by = ["map", "short_side"]
        _write(rows, folder / name / "settings.csv", curves="settings_curves.csv", by=by)


def _learned_from(name: str, heads: Mapping[str, tuple[Path, str]]) -> bool:
    """Whether all heads were trained on the set of that name, as their files say."""
    from msroi.network import load_model

    models = [load_model(file, head=head) for file, head in heads.values()]
    return all(model.trained.get("data") == name for model in models)


def _write(
    rows: Iterable[dict[str, Any]], path: Path, *, curves: str = "", by: Sequence[str] = ()
) -> None:
    """Write rows as a table, their precision and recall averaged into another one beside it."""
    import pandas as pd

    from study.measure import findings

    table = pd.DataFrame(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    if "precision" in table:
        write_atomically(path.with_name(curves), as_csv(findings.curves(table, by=by)))
        table = table.drop(columns=["precision", "recall"])
    write_atomically(path, as_csv(table))


def _classified(images, heads: Mapping[str, tuple[Path, str]]) -> Iterator[dict[str, Any]]:
    """How each head names the images that its training held out, class by class.

    The classes are merged as they were for that head.
    """
    from msroi.network import load_model
    from study.data.classes import merge, read_groups, split
    from study.measure import findings

    for title, (file, head) in heads.items():
        model = load_model(file, head=head)
        told = model.trained
        own = merge(images, read_groups(told["groups"])) if told.get("groups") else images
        held_out = split(own, validation=told["validation"], seed=told["seed"])
        if sha256(as_json(held_out)).hexdigest() != told["split_sha256"]:
            raise StudyError(
                f"{title} was trained on other images than the {len(images):,} of {images.name}: "
                "what it held out can't be told; name its own set"
            )
        shown = own.select(held_out["validation"])
        logits = findings.logits(shown, model)
        labels = np.array([item.label for item in shown])
        table = findings.classification(labels, logits, own.classes)
        mean = table["average_precision"].mean()
        typer.echo(f"{title}: top-1 {findings.top_1(table):.2%}, mAP {mean:.3f}")
        yield from table.assign(head=title).to_dict("records")


def _found_by_setting(
    images, own: tuple[Path, str], *, every: int, top: list[int], short_sides: list[int]
):
    """What MS-ROI's maps of every n-th image find, by rule and by scale."""
    from study.measure import findings

    rules = {"expected": {"select": "expected"}, "threshold": {"select": "threshold"}}
    rules |= {f"top {k}": {"select": "topk", "k": k} for k in top}
    some = images.select(item.name for item in images.items[::every])
    for side in tqdm(short_sides, desc="short sides", unit="side"):
        maps = {
            name: network_map(own[0], head=own[1], short_sides=(side,), **rule)
            for name, rule in rules.items()
        }
        for row in findings.found(some, maps):
            yield row | {"short_side": side}
