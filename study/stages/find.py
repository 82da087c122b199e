"""What the heads find in an image set: `python -m study find`."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

from msroi.files import write_atomically
from msroi.saliency import OWN, named_maps, network_map
from study.params import FINDINGS, RAW, StudyError, as_csv, as_json, read_params


def find(
    name: Annotated[str, typer.Argument(help="An image set in data/raw.")],
    to: Annotated[Path, typer.Option(help="Folder of the tables' folder.")] = FINDINGS,
) -> None:
    """Measure what each head finds in a set; writes reports/findings/<set>/heads.csv.

    By what is known of the set's images: top-1 accuracy and average precision by class, on the
    images that training held out; agreement with the fixations; or the share of objects found.
    The heads are those that findings.<set> of params.yaml names, or the released ones.
    """
    import pandas as pd

    from msroi.model import WEIGHTS
    from study.data.sets import intact, load

    params = read_params()
    section = params["findings"].get(name, {})
    released = {"MS-ROI": WEIGHTS / "msroi.safetensors", "CAM": WEIGHTS / "cam.safetensors"}
    heads = section.get("heads", released)
    images = intact(load(name, RAW / name, subset="test"), broken=params["broken"])
    typer.echo(images.summary())
    folder = to / name
    folder.mkdir(parents=True, exist_ok=True)
    rows = _classified if images.classes and not images[0].mask else _by_head
    write_atomically(folder / "heads.csv", as_csv(pd.DataFrame(rows(images, heads))))
    if "settings" in section:
        table = pd.DataFrame(_by_setting(images, heads[OWN], **section["settings"]))
        write_atomically(folder / "settings.csv", as_csv(table))


def _classified(images, heads):
    from msroi.model import load_model
    from study.data.classes import split
    from study.measure import findings
    from study.training.trainer import load_examples, predict

    for title, checkpoint in heads.items():
        model = load_model(checkpoint)
        told = model.metadata
        held_out = split(images, validation=told["validation"], seed=told["seed"])
        if sha256(as_json(held_out)).hexdigest() != told["split_sha256"]:
            raise StudyError(
                f"{title} was trained on other images than the {len(images):,} of {images.name}: "
                "what it held out can't be told; name its own set"
            )
        examples = load_examples(images.select(held_out["validation"]), told["size"])
        logits = predict(model, examples.images).numpy()
        table = findings.classification(examples.labels, logits, images.classes)
        mean = table["average_precision"].mean()
        typer.echo(f"{title}: top-1 {findings.top_1(table):.2%}, mAP {mean:.3f}")
        yield from table.assign(head=title).to_dict("records")


def _by_head(images, heads):
    from tqdm import tqdm

    maps = named_maps(heads, **read_params()["saliency"]["rule"])
    return tqdm(_found(images, maps), desc=f"find {images.name}", unit="row")


def _found(images, maps):
    """What maps find in a set: where people looked, or the objects of scenes."""
    from study.measure import findings

    if images[0].mask is None:
        return findings.fixation_agreement(images, maps)
    return findings.objects_found(_scenes(images), maps)


def _by_setting(
    images, checkpoint, *, every: int, rules: Mapping[str, Any], short_sides: list[int]
):
    """What MS-ROI's maps of every n-th image find, by rule and by scale."""
    from tqdm import tqdm

    some = images.select(item.name for item in images.items[::every])
    for side in tqdm(short_sides, desc="short sides", unit="side"):
        maps = {
            rule: network_map(checkpoint, short_sides=(side,), **options)
            for rule, options in rules.items()
        }
        for row in _found(some, maps):
            yield row | {"short_side": side}


def _scenes(images):
    """Name, pixels and label image of each."""
    from msroi.images import read_image
    from study.data.truths import object_labels

    for item in images:
        yield (
            item.name,
            read_image(item.path).pixels,
            object_labels(item),
        )
