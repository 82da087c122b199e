"""Figures from tidy tables or arrays: each function draws on the axes it is given, none saves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, NullFormatter

from msroi.metrics import ALL

# Okabe–Ito: told apart by colour-blind readers, and by their lightness and markers in grey print.
METHOD_STYLES = {
    "standard": {"color": "#666666", "linestyle": ":", "marker": "s"},
    "mosaic": {"color": "#D55E00", "linestyle": "-", "marker": "o"},
    "direct": {"color": "#0072B2", "linestyle": "-", "marker": "D"},
    "direct-flat": {"color": "#56B4E9", "linestyle": "--", "marker": "^"},
    "standard-optimized": {"color": "#999999", "linestyle": "-.", "marker": "v"},
    "mozjpeg": {"color": "#009E73", "linestyle": "--", "marker": "P"},
    "mozjpeg-robidoux": {"color": "#882255", "linestyle": ":", "marker": "x"},
    "jpegli": {"color": "#E69F00", "linestyle": "-.", "marker": "h"},
    "direct-ssimulacra2": {"color": "#CC79A7", "linestyle": "-", "marker": "p"},
    "paper": {"color": "#000000", "linestyle": "-", "marker": "X"},
    "direct-cam": {"color": "#CC79A7", "linestyle": "-.", "marker": "<"},
    "direct-energy": {"color": "#882255", "linestyle": "-", "marker": "*"},
    "direct-centre": {"color": "#E69F00", "linestyle": ":", "marker": ">"},
    "direct-product": {"color": "#332288", "linestyle": "-", "marker": "d"},
    "direct-oracle": {"color": "#000000", "linestyle": "--", "marker": "p"},
}
DOT_STYLES = {method: look | {"linestyle": "none"} for method, look in METHOD_STYLES.items()}
MAP_COLOURS = {
    "CAM": "#E69F00",
    "MS-ROI": "#0072B2",
    "MS-ROI × centre": "#332288",
    "energy": "#009E73",
    "centre prior": "#999999",
    "flat": "#333333",
}

STYLE = {
    "figure.constrained_layout.use": True,
    "figure.dpi": 96,  # a notebook's inches are then those of its PDF
    "font.size": 9,
    "text.parse_math": False,  # names of images and categories are text, dollars and all
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.grid.axis": "y",
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "savefig.bbox": "tight",
    "savefig.dpi": 160,
    "svg.hashsalt": "msroi",  # element ids, and so the file's bytes, are the same in every run
}


def show_image(ax: Axes, image: np.ndarray, title: str = "", **scale: Any) -> Axes:
    """Show an image, uint8 [H, W, 3] or [H, W] on a scale of `Axes.imshow`, without axes."""
    ax.imshow(image, **scale)
    ax.set_title(title)
    ax.set_axis_off()
    return ax


def show_map(ax: Axes, saliency: np.ndarray, title: str = "") -> Axes:
    """Show a saliency map [H, W] on the one scale from 0 to 1 that every map is drawn on."""
    return show_image(ax, saliency, title, cmap="magma", vmin=0, vmax=1)


def show_box(ax: Axes, box: tuple[slice, slice]) -> Axes:
    """Outline a close-up (rows, columns) on an image, in black on white."""
    rows, columns = box
    corner = columns.start, rows.start
    width, height = columns.stop - columns.start, rows.stop - rows.start
    for colour, line in (("#ffffff", 2.5), ("#000000", 1)):
        ax.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=line))
    return ax


def differences(difference: pd.DataFrame, ax: Axes, *, metrics: Sequence[str], unit: str) -> Axes:
    """Draw each image's difference from standard: dots for each metric, a bar at the mean."""
    long = difference.melt(["image", "method"], list(metrics), "metric", "difference")
    long["metric"] = long["metric"].map(lambda name: ALL[name].label.replace("-", "-\n", 1))
    palette = {method: look["color"] for method, look in METHOD_STYLES.items()}
    methods = long["method"].nunique()
    options = {"x": "metric", "y": "difference", "hue": "method", "palette": palette, "ax": ax}
    sns.stripplot(long, dodge=True, jitter=False, alpha=0.45, size=4, legend=False, **options)
    sns.pointplot(
        long,
        dodge=0.8 - 0.8 / methods,
        errorbar=None,
        linestyle="none",
        marker="_",
        markersize=60 / methods,
        markeredgewidth=2.5,
        **options,
    )
    return _around_zero(ax, xlabel="", ylabel=f"difference, {unit}")


def effects(table: pd.DataFrame, ax: Axes, *, label: str, xlabel: str) -> Axes:
    """Draw means and their 95% intervals, a line each, the first above: columns mean, low, high.

    ``label`` names the column that says what each is: a method, whose colour and marker are those
    of `METHOD_STYLES`. Variants of methods have a column ``encoder`` besides, with the method's.
    """
    methods = table["encoder"] if "encoder" in table else table[label]
    for place, (row, method) in enumerate(zip(table.itertuples(), methods, strict=True)):
        error = [[row.mean - row.low], [row.high - row.mean]]
        ax.errorbar(row.mean, place, xerr=error, capsize=2, **DOT_STYLES[method])
    ax.set_yticks(range(len(table)), table[label])
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.margins(x=0.1)
    ax.locator_params(axis="x", nbins=3)
    ax.ticklabel_format(axis="x", scilimits=(-2, 3))
    return _beside_zero(ax, xlabel=xlabel, ylabel="")


def size_curve(difference: pd.DataFrame, ax: Axes, *, metric: str = "psnr_hvs") -> Axes:
    """Draw the difference from standard against the image's size, a line a method (Figure 4)."""
    for method, rows in difference.groupby("method", sort=False):
        megapixels = rows["width"] * rows["height"] / 1e6
        ax.plot(megapixels, rows[metric], label=method, **METHOD_STYLES[method])
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())  # whose labels would be formulas
    ax.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1))
    label = _named(metric, "difference from standard")
    return _around_zero(ax, xlabel="image size, megapixels", ylabel=label)


def categories(table: pd.DataFrame, ax: Axes, *, xlabel: str) -> Axes:
    """Draw each category's mean difference from standard and its 95% interval (Figure 5).

    Columns category, method, images, mean, low, high. Categories are in the order of the first
    method's means, the best first, with the number of their images.
    """
    methods = table["method"].unique()
    first = table[table["method"] == methods[0]].sort_values("mean", ascending=False)
    places = {name: place for place, name in enumerate(first["category"])}
    for number, method in enumerate(methods):
        own = table[table["method"] == method]
        y = own["category"].map(places) + 0.3 * (number - (len(methods) - 1) / 2)
        error = [own["mean"] - own["low"], own["high"] - own["mean"]]
        ax.errorbar(own["mean"], y, xerr=error, label=method, markersize=4, **DOT_STYLES[method])
    named = [f"{row.category} ({row.images})" for row in first.itertuples()]
    ax.set_yticks(range(len(first)), named)
    ax.set_ylim(len(first) - 0.5, -0.5)
    ax.legend(title="", ncols=len(methods), loc="lower center", bbox_to_anchor=(0.5, 1))
    return _beside_zero(ax, xlabel=xlabel, ylabel="")


def share_found(share: pd.DataFrame, ax: Axes) -> Axes:
    """Draw the share of objects found by the number of objects, a bar for each map (Figure 2)."""
    share.plot.bar(ax=ax, color=MAP_COLOURS, rot=0, width=0.7)
    ax.set(xlabel="objects in the scene", ylabel="share of objects found", ylim=(0, 1))
    ax.legend(title="", ncols=len(share.columns), loc="lower center", bbox_to_anchor=(0.5, 0.98))
    return ax


def training_curves(epochs: Mapping[str, Sequence[Mapping[str, float]]], ax: Axes) -> Axes:
    """Draw top-1 accuracy on the images held out, after each epoch, a line a head."""
    for head, history in epochs.items():
        own = pd.DataFrame(list(history))
        ax.plot(own["epoch"], own["validation_accuracy"], label=head, color=MAP_COLOURS[head])
    ax.legend()
    ax.set(xlabel="epoch", ylabel="top-1, images held out", ylim=(0, 1))
    return ax


def agreement(table: pd.DataFrame, order: Sequence[str], ax: Axes) -> Axes:
    """Draw the mean NSS of each map and its 95% bootstrap interval over images."""
    options = {"y": "map", "x": "nss", "hue": "map", "order": order, "palette": MAP_COLOURS}
    sns.barplot(table, ax=ax, errorbar=("ci", 95), seed=0, legend=False, **options)
    return _beside_zero(ax, xlabel="NSS at fixations", ylabel="")


def by_scale(table: pd.DataFrame, ax: Axes) -> Axes:
    """Draw the mean NSS against the short side that the network sees, a line a rule."""
    options = {"x": "short_side", "y": "nss", "hue": "map", "style": "map", "palette": "viridis"}
    sns.lineplot(table, ax=ax, errorbar=None, markers=True, dashes=False, **options)
    ax.legend(title="", fontsize=6, handlelength=1.2, loc="upper left", bbox_to_anchor=(1, 1))
    return _around_zero(ax, xlabel="short side, pixels", ylabel="NSS at fixations")


def rate_distortion(table: pd.DataFrame, ax: Axes, *, metric: str = "psnr") -> Axes:
    """Draw quality against rate, a line a method: columns method, rate_bpp, and the metric."""
    for method, rows in table.groupby("method", sort=False):
        ax.plot(rows["rate_bpp"], rows[metric], label=method, **METHOD_STYLES[method])
    ax.set(xlabel="rate, bits per pixel", ylabel=_named(metric))
    return ax


def show_block(ax: Axes, values: np.ndarray, title: str = "") -> Axes:
    """Show an 8×8 block with its numbers written in: darker is larger in size."""
    sizes = np.log1p(np.abs(values))
    for (row, column), value in np.ndenumerate(values):
        ax.text(column, row, f"{np.rint(value) + 0:.0f}", ha="center", va="center", fontsize=5.5)
    return show_image(ax, sizes, title, cmap="gray_r", vmin=0, vmax=2 * max(sizes.max(), 1))


def _named(metric: str, *said: str) -> str:
    """Name a metric and its unit, which SSIMULACRA2 and other indices have not."""
    return ", ".join(filter(None, (ALL[metric].label, *said, ALL[metric].unit)))


def _around_zero(ax: Axes, **labels: str) -> Axes:
    """Draw a line at zero height, and the labels."""
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(**labels)
    return ax


def _beside_zero(ax: Axes, **labels: str) -> Axes:
    """Draw a line at zero width, a grid for what lies along it, and the labels."""
    ax.axvline(0, color="black", linewidth=0.8)
    ax.grid(axis="x")
    ax.grid(visible=False, axis="y")
    ax.set(**labels)
    return ax
