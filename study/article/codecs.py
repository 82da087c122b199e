"""Values for the article's sentences on codecs other than JPEG."""

from study.article.facts import PER_CENT, SHARE, Facts, Tables, effects

MAPS = {"led": "MS-ROI", "centre": "centre prior", "oracle": "oracle"}


def found(tables: Tables) -> Facts | None:
    """What other codecs gain by a map, set by set; None where the notebook's tables are not there.

    ``sets`` has a record a set: by the keys of `MAPS` the effects by codec and metric, and
    ``shares``, those of MS-ROI's map by codec, in per cent of what the truth gains. ``rates`` are
    BD-rates of x265 by metric.
    """
    if "beyond_jpeg" not in tables:
        return None
    table, rates = tables["beyond_jpeg"], tables["beyond_jpeg_rates"]
    return {
        "sets": [_of_set(title, own) for title, own in table.groupby("set", sort=False)],
        "codecs": list(table["codec"].unique()),
        "rates": effects(rates, "metric", shown=PER_CENT),
        "images": f"{rates['images'].max():,}",
    }


def _of_set(title: str, own) -> Facts:
    led = own[own["judge"] & (own["map"] == MAPS["led"])]
    shares = led.assign(
        mean=100 * led["share"], low=100 * led["share_low"], high=100 * led["share_high"]
    )
    by_map = {
        key: effects(own[own["map"] == name], "codec", "metric") for key, name in MAPS.items()
    }
    return {
        "set": title,
        "images": f"{own['images'].max():,}",
        "metric": led["metric"].iloc[0],
        "shares": effects(shares, "codec", shown=SHARE),
        **by_map,
    }
