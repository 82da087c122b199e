"""Videos under the map: `python -m study clips`."""

from typing import Annotated

import typer

from msroi.files import write_atomically
from study.params import as_csv, entry, heads_in, places_of, read_params

CONTROL = "centre prior"


def clips(
    name: Annotated[str, typer.Argument(help="A run of params.yaml: clips.<name>.")],
) -> None:
    """Render clips, and encode them plainly and under maps; writes clips/<run>.csv.

    The maps are MS-ROI's and, as a control, a centre prior.
    """
    import pandas as pd

    from msroi.saliency import OWN, named_maps
    from msroi.video.maps import SHORT_SIDES
    from msroi.video.writing import Settings, require
    from study.measure.clips import measure

    params = read_params()
    run = entry(params["clips"], "clips", name)
    require(run["codec"])
    rule = params["saliency"]["rule"] | {"short_sides": SHORT_SIDES}
    maps = named_maps(heads_in(run["heads"]), **rule)
    rows = measure(
        {name: maps[name] for name in (OWN, CONTROL)},
        Settings(run["codec"], run["preset"], run["crf"]),
        count=run["count"],
        frames=run["frames"],
        seed=params["seed"],
    )
    path = places_of(params).results.with_name("clips") / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, as_csv(pd.DataFrame(rows)))
