"""What the eight heads of the trial of Figure 2 find: `python -m study trial`."""

from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from msroi.files import write_atomically
from msroi.saliency import network_map
from study.params import RAW, TRIAL, StudyError, as_csv, places_of, read_params


def trial(
    to: Annotated[Path, typer.Option(help="Folder of the two tables.")] = TRIAL.parent,
) -> None:
    """Measure what each head of the study finds where several objects are.

    Writes trial.csv, a row for each image of the sets that `trial` of params.yaml names and each
    head of `train.heads`, and trial_heads.csv, a row a head with its top-1 accuracy on the images
    that training held out. A head's name has its features, its weights and its kind, in this order.
    """
    import pandas as pd

    from msroi.network import load_model
    from study.data.sets import intact, load
    from study.measure.findings import found_by_image
    from study.statistics.trial import COLUMNS, FACTORS

    params = read_params()
    if "trial" not in params:
        raise StudyError(
            f"study={params['study']} has no trial: compose study=trial (`make trial`)"
        )
    section = params["trial"]
    names = {
        name: dict(zip(FACTORS, name.split("-"), strict=True)) for name in params["train"]["heads"]
    }
    files = {name: places_of(params).models / f"{name}.onnx" for name in names}
    maps = {name: network_map(file, **section["rule"]) for name, file in files.items()}
    rows = []
    for title in section["sets"]:
        images = intact(load(title, RAW / title, subset="test"), broken=params["broken"])
        typer.echo(images.summary())
        found = tqdm(found_by_image(images, maps), desc=f"trial {title}", unit="row")
        rows += [{"set": title} | names[row["map"]] | row for row in found]
    trained = {name: load_model(file).trained for name, file in files.items()}
    heads = [
        parts
        | {"size": trained[name]["size"], "top_1": trained[name]["result"]["validation_accuracy"]}
        for name, parts in names.items()
    ]
    write_atomically(to / TRIAL.name, as_csv(pd.DataFrame(rows)[list(COLUMNS)]))
    write_atomically(to / "trial_heads.csv", as_csv(pd.DataFrame(heads)))
