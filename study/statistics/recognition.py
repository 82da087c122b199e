"""Does the picture still say what it said? How often a classifier names it as before."""

from collections.abc import Mapping

import pandas as pd

from study.statistics.intervals import mean_interval

STANDARD, FLAT, LED = "standard", "direct-flat", "direct"
ALONE = "nothing"  # that a share is less
ALL = "all"  # in the place of a quality: an image's mean over all of them


def agreement(results: Mapping[str, pd.DataFrame], *, seed: int) -> pd.DataFrame:
    """Top-1 agreement of decoded with original images, and what methods differ in it.

    Parameters
    ----------
    results
        Title of a set → its table, as `study.measure.recognition.recognise` gives the rows.
    seed
        Of the bootstrap.

    Returns
    -------
    DataFrame
        A row a set, method, quality of the standard JPEG whose bytes are the budget (`ALL` too),
        and method that it is less: `ALONE` (the share itself), standard for all, and direct-flat
        for direct. Columns: set, method, less, quality, images, mean, low and high (95% over
        images). Shares are in per cent, differences in points. Of a method that could not make so
        few bytes of some images, the others alone are counted.
    """
    parts = []
    for title, table in results.items():
        agrees = 100.0 * (table["original_class"] == table["decoded_class"])
        wide = table.assign(agrees=agrees).pivot(
            index="image", columns=["method", "quality"], values="agrees"
        )
        for method, less in _pairs(table["method"].unique()):
            own = wide[method] - (0 if less == ALONE else wide[less])
            own[ALL] = own.mean(axis=1, skipna=False)
            for quality in own:
                known = own[quality].dropna().to_numpy()
                row = {"set": title, "method": method, "less": less, "quality": quality}
                found = mean_interval(known, seed=seed)._asdict()
                parts.append(row | {"images": len(known)} | found)
    return pd.DataFrame(parts)


def _pairs(methods) -> list[tuple[str, str]]:
    """Each method by itself, each less standard, and direct less direct-flat."""
    pairs = [(method, ALONE) for method in methods]
    pairs += [(method, STANDARD) for method in methods if method != STANDARD]
    return pairs + [(LED, FLAT)] * ({LED, FLAT} <= set(methods))
