"""What each figure and table shows, said in sentences whose numbers come from its own table.

Every function takes the table that the notebook of its name saved beside the figure.
"""

from collections.abc import Callable

import pandas as pd

from msroi.metrics.table import ALL, DECIBELS, METRICS


def figure1_closeup(table: pd.DataFrame) -> str:
    """Columns: image, method, bytes, budget_bytes, box_psnr (dB), psnr (dB); a row a method."""
    said = [
        f"{row.method} {row.bytes:,} bytes, {row.box_psnr:.2f} dB here, {row.psnr:.2f} dB overall"
        for row in table.itertuples()
    ]
    image, budget = table["image"].iloc[0], table["budget_bytes"].iloc[0]
    return (
        f"The most salient part of “{image}”, enlarged: the original and what is left of it in at "
        f"most {budget:,} bytes. Luma PSNR: {'; '.join(said)}."
    )


def figure2_cam_vs_msroi(table: pd.DataFrame) -> str:
    """Columns: objects, scenes, several, the share of objects found by each map, and MS-ROI's
    gain over CAM in scenes of several objects with its interval (gain, low, high).
    """
    heads = ["CAM", "MS-ROI"]
    said = [
        f"{_count(row['objects'], 'object')}: "
        + ", ".join(f"{name} {row[name]:.0%}" for name in heads)
        for _, row in table.iterrows()
    ]
    several = table[table["several"]]
    counts = " and ".join(str(count) for count in several["objects"])
    gain, low, high = (100 * several[name].iloc[0] for name in ("gain", "low", "high"))
    return (
        f"Scenes with one to {table['objects'].max()} objects, the true objects, and the maps of "
        f"heads that were trained on scenes of one. Share of the objects whose mean saliency is "
        f"above the image's, by the number of objects in the scene ({'; '.join(said)}). In the "
        f"{several['scenes'].sum()} scenes of {counts} objects MS-ROI finds {signed(gain, 0)} "
        f"percentage points against CAM (95% interval {signed(low, 0)} to {signed(high, 0)}): "
        f"{_verdict(low, high)}."
    )


def model_what_it_finds(table: pd.DataFrame) -> str:
    """Columns: map, auc_judd, nss, cc, images; difference, low, high (NSS of MS-ROI less that of
    the map); top-1 and mAP (of the heads); a row a map.
    """
    by_map = table.set_index("map")
    said = [
        f"{name} {signed(row['difference'])} ({signed(row['low'])} to {signed(row['high'])})"
        for name, row in by_map.drop("MS-ROI").iterrows()
    ]
    top = [f"{name} {by_map.loc[name, 'top-1']:.1%}" for name in ("MS-ROI", "CAM")]
    return (
        f"Above, photographs and their maps. Below, top-1 accuracy on images held out while the "
        f"released heads learned (in the end {', '.join(top)}); agreement with human fixations on "
        f"{by_map['images'].iloc[0]} photographs of many objects, NSS (MS-ROI "
        f"{by_map.loc['MS-ROI', 'nss']:.2f}); and the same by rule and by the short side that the "
        f"network sees. NSS of MS-ROI less that of each other map, with 95% intervals: "
        f"{'; '.join(said)}."
    )


def figure3_maps(table: pd.DataFrame) -> str:
    """Columns: image, mean (of the map), salient (share of pixels above 3/5); a row an image."""
    most = table.loc[table["salient"].idxmax()]
    least = table.loc[table["salient"].idxmin()]
    return (
        f"MS-ROI maps of {len(table)} photographs, on one scale from 0 (black) to 1 (light). The "
        f"share of pixels above 3/5 is largest on “{most['image']}” ({most['salient']:.0%}) and "
        f"smallest on “{least['image']}” ({least['salient']:.0%})."
    )


def table1_quality(table: pd.DataFrame) -> str:
    """Columns: source (paper or ours), set, method, images, and the seven metrics."""
    ours = table[table["source"] == "ours"]
    said = [_gains(name, rows) for name, rows in ours.groupby("set", sort=False)]
    return (
        "Means over images, the paper's Table 1 above and ours below; within a set every method "
        f"has at most the bytes of the standard JPEG of each image. {' '.join(said)}"
    )


def table2_intervals(table: pd.DataFrame) -> str:
    """Columns: set, and those of `study.statistics.comparisons.intervals`."""
    said = [_told_apart(name, own) for name, own in table.groupby("set", sort=False)]
    return (
        "Mean difference of every method from the standard JPEG of the same image, at no more "
        f"bytes, and its 95% interval over images. {' '.join(said)}"
    )


def ablations(table: pd.DataFrame) -> str:
    """Columns of `study.statistics.comparisons.intervals`, one set."""
    by_metric = {metric: own.set_index("method") for metric, own in table.groupby("metric")}
    said = [
        f"{method}: {signed(psnr)} dB and {signed(by_metric['psnr_s'].loc[method, 'mean'])} dB"
        for method, psnr in by_metric["psnr"]["mean"].items()
    ]
    return (
        f"Variants of both encoders on {table['images'].max()} photographs, each against the "
        "standard JPEG of the same image: mean differences and 95% intervals. PSNR and PSNR-S of "
        f"{'; '.join(said)}."
    )


def independent_test(table: pd.DataFrame) -> str:
    """Columns: set, other, metric, images, mean, low, high, improved: direct less the other."""
    said = []
    for (name, metric), own in table.groupby(["set", "metric"], sort=False):
        against = [
            f"{row.other} {signed(row.mean)} dB ({signed(row.low)} to {signed(row.high)}, "
            f"{_verdict(row.low, row.high)})"
            for row in own.itertuples()
        ]
        said.append(
            f"{name}, {ALL[metric].label} on {own['images'].max()} images, direct with MS-ROI's "
            f"map less: {'; '.join(against)}."
        )
    return (
        "Error where it matters, by a judge that knows no map, at equal bytes: gains over standard "
        f"JPEG, and direct less each other method, means and 95% intervals. {' '.join(said)}"
    )


def rate_distortion(table: pd.DataFrame) -> str:
    """Columns: against, method, metric, images, mean, low, high: BD-rates in per cent."""
    rates = table.set_index(["against", "method", "metric"])
    said = []
    for method in ("mosaic", "direct-flat", "direct", "mozjpeg"):
        metrics = ("psnr", "psnr_hvs", "ssim", "psnr_s")
        own = [rates.loc[("standard", method, metric)] for metric in metrics]
        numbers = [
            f"{ALL[metric].label} {_per_cent(row)}"
            for metric, row in zip(metrics, own, strict=True)
        ]
        said.append(f"{method} {', '.join(numbers)}")
    return (
        f"Means over {table['images'].max()} photographs at the bytes of several qualities of the "
        "standard JPEG. Bytes against standard's at equal quality (BD-rate, mean and 95% "
        f"interval): {'; '.join(said)}."
    )


def verdict(table: pd.DataFrame) -> str:
    """Columns of `study.statistics.claims.Claim`."""
    counts = table["verdict"].value_counts()
    said = [f"{count} {name}" for name, count in counts.items()]
    held = table.loc[table["verdict"] == "reproduced", "claim"]
    return (
        f"Of {len(table)} claims of the paper, by its own encoder: {', '.join(said)}. "
        f"Reproduced: {'; '.join(held) if len(held) else 'none'}. The gains that the paper's "
        "Table 1 claims on Kodak, those found here, and those of direct, with 95% intervals."
    )


def figure4_size_scaling(table: pd.DataFrame) -> str:
    """Columns of `study.statistics.comparisons.paired_difference`, one image at several sizes."""
    said = [
        f"{method}: {_range(rows['psnr_hvs'])}"
        for method, rows in table.groupby("method", sort=False)
    ]
    megapixels = table["width"] * table["height"] / 1e6
    return (
        f"PSNR-HVS against standard JPEG at no more bytes, one image at "
        f"{table.groupby(['width', 'height']).ngroups} sizes from {megapixels.min():.2f} to "
        f"{megapixels.max():.2f} megapixels ({'; '.join(said)}). Above zero is better."
    )


def figure5_categories(table: pd.DataFrame) -> str:
    """Columns category, method, images, mean, low, high: PSNR-HVS by category."""
    said = [_by_category(method, rows) for method, rows in table.groupby("method", sort=False)]
    first = table[table["method"] == table["method"].iloc[0]]
    return (
        f"PSNR-HVS against standard JPEG at no more bytes, {first['images'].sum()} images in "
        f"{len(first)} categories: means and 95% intervals. {' '.join(said)}"
    )


def encoder_how_it_works(table: pd.DataFrame) -> str:
    """Columns of `study.show.lesson.rate_distortion`, and image."""
    standard = table[table["method"] == "standard"].set_index("quality")
    said = []
    for method, rows in table[table["method"] != "standard"].groupby("method", sort=False):
        own = rows.set_index("quality")
        psnr, psnr_s = ((own[name] - standard[name]).mean() for name in ("psnr", "psnr_s"))
        said.append(f"{method} {signed(psnr)} dB and {signed(psnr_s)} dB")
    rates = standard["rate_bpp"]
    return (
        f"Rate and distortion of “{table['image'].iloc[0]}” under a spot drawn on its middle, from "
        f"{rates.min():.2f} to {rates.max():.2f} bits per pixel. Against standard JPEG at no more "
        f"bytes, mean over {len(standard)} sizes, on the whole image and in the salient region: "
        f"{'; '.join(said)}."
    )


def explore(table: pd.DataFrame) -> str:
    """Columns of `study.show.explore.table`, image and map; standard above, the method below."""
    own, standard = table.iloc[-1], table.iloc[0]
    said = (
        f"“{own['image']}” by {own['method']}, with the map “{own['map']}”, in {own['bytes']:,} "
        f"bytes of the {own['budget_bytes']:,} that standard JPEG takes."
    )
    if len(table) == 1:
        return said
    gains = [
        f"{ALL[name].label} {signed(own[name] - standard[name])} dB"
        for name in DECIBELS
        if pd.notna(own[name])  # PSNR-S, where nothing is salient
    ]
    return (
        f"{said} Against it: {', '.join(gains)}, SSIM {signed(own['ssim'] - standard['ssim'], 4)}."
    )


CAPTIONS: dict[str, Callable[[pd.DataFrame], str]] = {
    function.__name__: function
    for function in (
        figure1_closeup,
        model_what_it_finds,
        figure2_cam_vs_msroi,
        figure3_maps,
        table1_quality,
        table2_intervals,
        ablations,
        independent_test,
        rate_distortion,
        verdict,
        figure4_size_scaling,
        figure5_categories,
        encoder_how_it_works,
        explore,
    )
}


def signed(value: float, digits: int = 2) -> str:
    """A difference with its sign, and a true minus: ``+0.12``, ``−1.30``."""
    return f"{round(value, digits) + 0:+.{digits}f}".replace("-", "−")  # + 0: no −0.00


def _gains(name: str, rows: pd.DataFrame) -> str:
    by_method = rows.set_index("method")[list(METRICS)]
    gains = by_method.drop("standard") - by_method.loc["standard"]
    return " ".join(_gains_of(name, method, gain) for method, gain in gains.iterrows())


def _gains_of(name: str, method: str, gain: pd.Series) -> str:
    up = [ALL[metric].label for metric in METRICS if gain[metric] > 0]
    if not up:
        verdict = "every mean is below standard's"
    elif len(up) == len(METRICS):
        verdict = "every mean is above standard's"
    else:
        verdict = f"{', '.join(up)} above standard's, the rest not"
    return (
        f"On {name}, {method}: {verdict} (PSNR-S {signed(gain['psnr_s'])} dB, PSNR "
        f"{signed(gain['psnr'])} dB, PSNR-HVS {signed(gain['psnr_hvs'])} dB)."
    )


def _by_category(method: str, rows: pd.DataFrame) -> str:
    mean = rows.set_index("category")["mean"]
    return (
        f"{method.capitalize()} is above standard in {(mean > 0).sum()} of {len(mean)} categories: "
        f"best in {mean.idxmax()} ({signed(mean.max())} dB), worst in {mean.idxmin()} "
        f"({signed(mean.min())} dB)."
    )


def _range(values: pd.Series) -> str:
    return f"from {signed(values.min())} to {signed(values.max())} dB"


def _verdict(low: float, high: float) -> str:
    """What an interval of a difference says."""
    if low > 0:
        return "more, clear of zero"
    return "fewer, clear of zero" if high < 0 else "not told apart from zero"


def _told_apart(name: str, own: pd.DataFrame) -> str:
    """How many metrics of each method are clear of zero, and on which side."""
    said = []
    for method, rows in own.groupby("method", sort=False):
        up, down = (rows["low"] > 0).sum(), (rows["high"] < 0).sum()
        said.append(f"{method} {up} above, {down} below")
    return f"On {name}, of {own['metric'].nunique()} metrics clear of zero: {'; '.join(said)}."


def _per_cent(row: pd.Series) -> str:
    if pd.isna(row["mean"]):
        return "no shared quality"
    return f"{signed(row['mean'], 1)}% ({signed(row['low'], 1)} to {signed(row['high'], 1)})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
