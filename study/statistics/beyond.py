"""Beyond JPEG: what each codec gains when a map leads it, at its own plain file's bytes."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from msroi.metrics import JUDGES
from study.statistics import rates
from study.statistics.comparisons import intervals, paired_difference
from study.statistics.intervals import Interval, mean_interval, signed
from study.statistics.ladder import ORACLE, OWN, share_interval

CENTRE, BOTH = "centre prior", f"{OWN} × centre"
# Ends of the rows that follow a map; those of both are of codecs that are told the map themselves
MAPS = {OWN: "-led", CENTRE: "-centre", BOTH: "-both", ORACLE: "-oracle"}
JPEG = "JPEG (direct)"


def _rows(codec: str, *maps: str) -> dict[str, str]:
    return {codec: ""} | {codec + MAPS[name]: name for name in maps}


CODECS = {  # the plain row of each, and the rows led by a map
    JPEG: {"direct-flat": "", "direct": OWN}
    | {"direct" + MAPS[name]: name for name in (CENTRE, BOTH, ORACLE)},
    **{codec: _rows(codec, *MAPS) for codec in ("x264", "x265")},
    **{codec: _rows(codec, OWN, CENTRE, ORACLE) for codec in ("jpeg2000", "webp", "avif")},
}


def less_plain(results: Mapping[str, pd.DataFrame], *, seed: int) -> pd.DataFrame:
    """Every codec under every map less the same codec without one, set by set.

    Parameters
    ----------
    results
        Title of a set → its table, as `study.measure.evaluation.evaluate` makes it by the rows of
        `CODECS`, of one quality a codec. A codec that it has not is left out.
    seed
        Of the bootstrap.

    Returns
    -------
    DataFrame
        A row a set, codec, map and metric. Columns: set, codec, map, metric, images, mean, low and
        high (of the paired differences, 95%), improved (the share above zero), judge (whether the
        metric is the one that knows what matters), and of that metric share, share_low and
        share_high: of what the truth as a map gains (`share_interval`), nan for all others.
    """
    parts = []
    for title, table in results.items():
        judge = next(name for name in JUDGES if name in table)
        for codec, rows in CODECS.items():
            if set(rows) <= set(table["method"]):
                own = _of_codec(table, rows, judge, seed)
                parts.append(own.assign(set=title, codec=codec))
    columns = ["set", "codec", "map", "metric", "images", "mean", "low", "high", "improved"]
    columns += ["judge", "share", "share_low", "share_high"]
    return pd.concat(parts, ignore_index=True)[columns]


def side_by_side(judged: pd.DataFrame) -> pd.DataFrame:
    """Put the sets of `less_plain`'s rows of the judges side by side, each number as text.

    A row a map and codec: ``+1.57 (+1.32 to +1.82), 31%``, the gain in dB, its interval and the
    share of what the truth as a map gains.
    """
    told = [
        f"{signed(row.mean)} ({signed(row.low)} to {signed(row.high)})"
        + ("" if np.isnan(row.share) else f", {row.share:.0%}")
        for row in judged.itertuples()
    ]
    wide = judged.assign(told=told).pivot_table(
        index=["map", "codec"], columns="set", values="told", aggfunc="first", sort=False
    )
    return wide.reset_index()


def _of_codec(table: pd.DataFrame, rows: Mapping[str, str], judge: str, seed: int) -> pd.DataFrame:
    plain = next(iter(rows))
    own = table[table["method"].isin(list(rows))]
    found = intervals(own, seed=seed, baseline=plain)
    found["map"], found["judge"] = found["method"].map(rows), found["metric"] == judge
    shares = {name: Interval(*[np.nan] * 3) for name in rows.values()}
    gains = paired_difference(own, baseline=plain).pivot(
        index=["image", "width", "height"], columns="method", values=judge
    )
    gains = gains.rename(columns=rows).dropna()
    for name in set(rows.values()) - {"", ORACLE}:
        values, oracle = gains[name].to_numpy(), gains[ORACLE].to_numpy()
        shares[name] = share_interval(values, oracle, seed=seed)
    told = pd.DataFrame([shares[name] for name in found["map"]], index=found.index)
    told.columns = ["share", "share_low", "share_high"]
    return found.join(told.where(found["judge"]))


def bd_rates(table: pd.DataFrame, *, codec: str, seed: int) -> pd.DataFrame:
    """Bytes of a codec led by MS-ROI's map against its plain ones, at equal quality.

    ``table`` has the plain row of `CODECS` and the led one at several qualities an image. The
    result is `study.statistics.rates.summary`'s, by the judge of the table and by PSNR: below zero
    the led files are smaller.
    """
    judge = next(name for name in JUDGES if name in table)
    own = table[table["method"].isin([codec, codec + MAPS[OWN]])]
    found = rates.bd_rates(own, anchor=codec, metrics=[judge, "psnr"])
    return rates.summary(found.assign(against=codec), seed=seed)


def of_clips(results: Mapping[str, pd.DataFrame], *, seed: int) -> pd.DataFrame:
    """What the parts of videos gain under each map, and how steady the maps are.

    Parameters
    ----------
    results
        Title of an encoder → its table, as `study.measure.clips.measure` gives the rows.
    seed
        Of the bootstrap.

    Returns
    -------
    DataFrame
        A row an encoder, map and part of a frame. Columns: codec, map, part, clips, frames (of
        each), mean, low and high (of the gains in dB, 95% over clips), map_change and frame_change
        (mean change from a frame to the next, in per cent of the range).
    """
    rows = []
    for codec, table in results.items():
        for (name, part), own in table.groupby(["map", "part"], sort=False):
            row = {"codec": codec, "map": name, "part": part, "clips": len(own)}
            row |= {"frames": own["frames"].max()}
            row |= mean_interval(own["gain"].to_numpy(), seed=seed)._asdict()
            changes = 100 * own[["map_change", "frame_change"]].mean()
            rows.append(row | changes.to_dict())
    return pd.DataFrame(rows)
