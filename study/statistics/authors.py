"""The authors' own log of Kodak: how many more bytes their JPEGs have, and what those are worth.

data/paper/log_kodak.csv has it, two rows an image: `STANDARD` and `MODEL`, with the quality of the
file, its bytes, and the paper's metrics but for PSNR-S, which the log has not.
"""

import numpy as np
import pandas as pd
from scipy.interpolate import PchipInterpolator

from msroi.metrics import PAPERS
from study.statistics.intervals import mean_interval

STANDARD, MODEL = "Std JPEG", "Our model"
LOGGED = tuple(metric for metric in PAPERS if metric != "psnr_s")


def more_bytes(log: pd.DataFrame) -> pd.Series:
    """By how much the authors' file of each image is larger than their standard JPEG: a share."""
    rows = log.set_index("image").groupby("method")["bytes"]
    return rows.get_group(MODEL) / rows.get_group(STANDARD) - 1


def gains(log: pd.DataFrame) -> pd.Series:
    """The authors' mean gain over their standard JPEG, by the metrics of `LOGGED`."""
    means = log.groupby("method")[list(LOGGED)].mean()
    return means.loc[MODEL] - means.loc[STANDARD]


def worth(results: pd.DataFrame, *, share: float, quality: float, seed: int) -> pd.DataFrame:
    """What a standard JPEG of a quality gains by a share of bytes more, and by nothing else.

    ``results`` have the standard JPEGs of several qualities of each image, ``quality`` among them,
    as `study.measure.evaluation.evaluate` makes them. Each metric is interpolated over log bytes by
    a monotone cubic, image by image. Columns: metric (`LOGGED`), images, mean, low, high (95%).
    ValueError where there are no standard JPEGs of that quality.
    """
    standard = results[results["method"] == "standard"].sort_values("bytes")
    if quality not in set(standard["quality"]):
        raise ValueError(f"the results have no standard JPEG of quality {quality}: add it to rates")
    rows = []
    for metric in LOGGED:
        gained = [_gain(own, metric, share, quality) for _, own in standard.groupby("image")]
        found = mean_interval(np.array(gained), seed=seed)
        rows.append({"metric": metric, "images": len(gained)} | found._asdict())
    return pd.DataFrame(rows)


def _gain(curve: pd.DataFrame, metric: str, share: float, quality: float) -> float:
    """One image's: its standard JPEGs by bytes, rising."""
    over = PchipInterpolator(np.log(curve["bytes"]), curve[metric])
    start = np.log(curve.loc[curve["quality"] == quality, "bytes"].item())
    return float(over(start + np.log1p(share)) - over(start))


def apart(log: pd.DataFrame, results: pd.DataFrame, *, quality: float) -> pd.DataFrame:
    """The authors' standard JPEGs beside those of the same images in ``results``.

    Columns: image, bytes (theirs less ours, as a share of ours), and theirs less ours by the
    metrics of `LOGGED`; no row where ``results`` have none of the log's images.
    """
    theirs = log[log["method"] == STANDARD].set_index("image")
    ours = results[(results["method"] == "standard") & (results["quality"] == quality)]
    ours = ours.set_index("image")
    shared = theirs.index.intersection(ours.index)
    columns = ["bytes", *LOGGED]
    less = theirs.loc[shared, columns] - ours.loc[shared, columns]
    return less.assign(bytes=less["bytes"] / ours.loc[shared, "bytes"]).reset_index()
