"""Values for the article's sentences on codecs other than JPEG."""

from msroi.metrics import ALL
from study.article.facts import PER_CENT, POINTS, SHARE, Facts, Tables, effects
from study.statistics import beyond, recognition
from study.statistics.intervals import UNDECIDED

MAPS = {
    "led": beyond.OWN,
    "centre": beyond.CENTRE,
    "both": beyond.BOTH,
    "oracle": beyond.ORACLE,
}


def found(tables: Tables) -> Facts | None:
    """What other codecs gain by a map, set by set; None where the notebook's tables are not there.

    ``sets`` has a record a set: by the keys of `MAPS` the effects by codec and metric, and by the
    same keys ``shares`` by codec, in per cent of what the truth gains. ``rates`` are
    BD-rates of x265 by metric. ``recognised`` has a record a set: the ``shares`` of images that a
    classifier names as before, in per cent by method and quality, the ``differences`` by method,
    less and quality, in points, and how many images are the ``fewest`` of a method that lacks some.
    ``clips`` has a record an encoder of videos.
    """
    if "beyond_jpeg" not in tables:
        return None
    table, rates = tables["beyond_jpeg"], tables["beyond_jpeg_rates"]
    return {
        "sets": [_of_set(title, own) for title, own in table.groupby("set", sort=False)],
        "codecs": list(table["codec"].unique()),
        "rates": effects(rates, "metric", shown=PER_CENT),
        "images": f"{rates['images'].max():,}",
        "recognised": [
            _recognised(title, own)
            for title, own in tables["beyond_jpeg_recognised"].groupby("set", sort=False)
        ],
        "clips": [
            _of_clips(codec, own)
            for codec, own in tables["beyond_jpeg_clips"].groupby("codec", sort=False)
        ],
    }


def _recognised(title: str, own) -> Facts:
    alone = own["less"] == recognition.ALONE
    images = own[alone].groupby("method")["images"].min()
    return {
        "set": title,
        "images": f"{images.max():,}",
        "fewest": {name: f"{n:,}" for name, n in images.items() if n < images.max()},
        "qualities": [str(quality) for quality in own["quality"].unique()],
        "shares": {
            method: {str(row.quality): _share(row) for row in rows.itertuples()}
            for method, rows in own[alone].groupby("method", sort=False)
        },
        "differences": effects(own[~alone], "method", "less", "quality", shown=POINTS),
    }


def _of_clips(codec: str, own) -> Facts:
    """By map and part the effects, dB, and by map how much maps and frames change, per cent."""
    changes = own.groupby("map", sort=False)[["map_change", "frame_change"]].first()
    return {
        "codec": codec,
        "clips": f"{own['clips'].max():,}",
        "frames": f"{own['frames'].max():,}",
        "gains": effects(own, "map", "part", shown=ALL["psnr"]),
        "changes": {name: f"{change:.2f}" for name, change in changes["map_change"].items()},
        "frame_change": f"{changes['frame_change'].max():.2f}",
    }


def _share(row) -> Facts:
    """A share as it is printed, of which no side of zero is told."""
    number, low, high = (f"{value:.0f}" for value in (row.mean, row.low, row.high))
    return {"number": number, "low": low, "high": high, "side": UNDECIDED}


def _of_set(title: str, own) -> Facts:
    by_map = {key: own[own["map"] == name] for key, name in MAPS.items()}
    judged = own[own["judge"]]
    shares = judged[["codec", "map"]].assign(
        mean=100 * judged["share"], low=100 * judged["share_low"], high=100 * judged["share_high"]
    )
    return {
        "set": title,
        "images": f"{own['images'].max():,}",
        "metric": judged["metric"].iloc[0],
        "shares": {
            key: effects(shares[shares["map"] == name], "codec", shown=SHARE)
            for key, name in MAPS.items()
        },
        **{key: effects(rows, "codec", "metric") for key, rows in by_map.items()},
    }
