"""Results of a set whose every method has a known gain: what a ladder is made of."""

import pandas as pd

from study.statistics.ladder import FLAT, RUNGS


def climbed(metric="psnr_fix", **gains):
    """A table of results: the method (`_` for `-`) → each image's gain over direct-flat, dB.

    Methods that are not given gain nothing; of each image the flat PSNR is another.
    """
    given = {method.replace("_", "-"): values for method, values in gains.items()}
    images = len(next(iter(given.values())))
    nothing = [0.0] * images
    rows = [
        {"image": f"i{n}", "method": method, metric: 30.0 + n + gain}
        for method in RUNGS.values()
        for n, gain in enumerate(given.get(method, nothing))
    ]
    assert RUNGS[FLAT] not in given
    return pd.DataFrame(rows).assign(category="", width=8, height=8, budget_bytes=9)
