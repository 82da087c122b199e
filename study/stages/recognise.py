"""Whether pictures still say what they said: `python -m study recognise`."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from msroi.files import write_atomically
from study.params import RAW, as_csv, entry, heads_in, places_of, read_params
from study.stages.evaluate import methods_of


def recognise(
    name: Annotated[str, typer.Argument(help="A run of params.yaml: recognition.<name>.")],
) -> None:
    """Ask a classifier what decoded photographs show; writes recognition/<run>.csv.

    It is one that draws no map, and its names of the original photographs are what it should say
    again. All cores work on it. A broken image stops it, or is left out, as broken in params.yaml
    says.
    """
    import pandas as pd

    from msroi.saliency import named_maps
    from study.data.sets import intact, load
    from study.measure.recognition import recognise as named

    logging.basicConfig(format="%(message)s")
    logging.getLogger("study").setLevel(logging.INFO)
    params = read_params()
    run = entry(params["recognition"], "recognition", name)
    images = intact(load(run["set"], RAW / run["set"], subset="test"), broken=params["broken"])
    typer.echo(images.summary())
    rows = named(
        images,
        named_maps(heads_in(run["heads"]), **params["saliency"]["rule"]),
        classifier=Path(run["classifier"]),
        methods=methods_of(params["evaluate"], run["methods"]),
        qualities=run["qualities"],
        scale=run.get("scale", 1),
    )
    path = places_of(params).results.with_name("recognition") / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, as_csv(pd.DataFrame(rows)))
