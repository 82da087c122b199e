"""The parts of the explorer's panel, how they are laid out, and the numbers that it shows."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets
import pandas as pd

from msroi.explore import AMPLIFIED, METHODS, QUICK, Photo
from msroi.figures import DECIBELS, LABELS
from msroi.report.captions import signed

VIEWS = ("this JPEG", "standard JPEG", "photograph")
TITLES = {
    "map": "map: black 0, light 1; the ring is the brush",
    "JPEG": "this JPEG",
    "difference": f"its error in luma, {AMPLIFIED} times: black is none",
}
HEEDED = {"strength": "direct", "k": "mosaic", "q_low": "mosaic", "q_high": "mosaic"}
LABEL = {"description_width": "6.5em"}
WIDTH = {"width": "21em"}


def choice(label: str, options: Sequence[str], value: str) -> widgets.Dropdown:
    """A list to choose from."""
    return widgets.Dropdown(
        description=label, options=options, value=value, style=LABEL, layout=WIDTH
    )


def upload(label: str) -> widgets.FileUpload:
    """A button for one file; what it holds is looked at when it has come."""
    return widgets.FileUpload(description=label, accept="image/*", layout={"width": "14em"})


def knobs(settings: Mapping[str, Any]) -> dict[str, widgets.ValueWidget]:
    """The method and its sliders, named as the arguments of `msroi.explore.step`."""
    whole, real = widgets.IntSlider, widgets.FloatSlider
    method = widgets.ToggleButtons(
        options=METHODS, value=settings["method"], style={"button_width": "7em"}
    )
    ranges = {
        "quality": (whole, "quality", 1, 100, "its standard JPEG's bytes are the budget"),
        "strength": (real, "strength", 0, 8, "how much the map weighs"),
        "k": (whole, "levels, k", 2, 12, "of the mosaic"),
        "q_low": (whole, "q_low, Q_l", 1, 100, "quality of the lowest level"),
        "q_high": (whole, "q_high, Q_h", 1, 100, "quality of the highest level"),
    }
    sliders = {name: _slider(*given, settings[name]) for name, given in ranges.items()}
    return {"method": method} | sliders


def brush() -> dict[str, widgets.IntSlider]:
    """Sliders of the brush: its centre and radius, per cent of width, height and short side."""
    whole = widgets.IntSlider
    return {
        "x": _slider(whole, "brush, x %", 0, 100, "from the left", 50),
        "y": _slider(whole, "brush, y %", 0, 100, "from the top", 50),
        "radius": _slider(whole, "radius, %", 2, 60, "of the shorter side", 20),
    }


def brush_buttons() -> dict[str, widgets.Button]:
    """Add, erase and clear."""
    names = ("add", "erase", "clear")
    return {name: widgets.Button(description=name, layout={"width": "5.5em"}) for name in names}


def picture() -> widgets.Image:
    """A picture as wide as its column."""
    return widgets.Image(layout={"width": "100%", "height": "auto"})


def large_picture() -> widgets.Image:
    """A picture at its true size, or as wide as the page."""
    return widgets.Image(layout={"max_width": "100%", "height": "auto"})


def views() -> widgets.ToggleButtons:
    """Which picture is the large one."""
    return widgets.ToggleButtons(options=VIEWS)


def heed(knobs: Mapping[str, widgets.ValueWidget]) -> None:
    """Disable the knobs that the method does not heed."""
    for name, method in HEEDED.items():
        knobs[name].disabled = knobs["method"].value != method


def about(name: str, photo: Photo) -> str:
    """The photograph's size, and that it was scaled down."""
    (H, W), (height, width) = photo.pixels.shape[:2], photo.shape
    scaled = "" if (height, width) == (H, W) else f", scaled to {W}×{H}, so that moves stay quick"
    return escape(f"{name}: {width}×{height} pixels{scaled}")


def numbers(table: pd.DataFrame, pixels: int) -> str:
    """The bytes in a line and the metrics in a table, as HTML, of `msroi.explore.table`."""
    own = table.iloc[-1]
    said = (
        f"<b>{own['method']}</b> takes <b>{own['bytes']:,}</b> of {own['budget_bytes']:,} bytes "
        f"({own['bytes'] / own['budget_bytes']:.1%}), {8 * own['bytes'] / pixels:.2f} bits a pixel"
    )
    heads = "".join(f"<th>{name}</th>" for name in ("", *table["method"], "difference"))
    rows = "".join(_row(name, table[name]) for name in QUICK)
    return f"{said}<table><tr>{heads}</tr>{rows}</table>"


def columns(*groups: Sequence[widgets.Widget]) -> widgets.HBox:
    """Groups of widgets side by side, or below each other where the page is narrow."""
    stacks = [widgets.VBox(list(group)) for group in groups]
    return widgets.HBox(stacks, layout={"flex_flow": "row wrap", "grid_gap": "0.5em 2em"})


def row(pictures: Mapping[str, widgets.Image]) -> widgets.HBox:
    """Pictures side by side, each below its title."""
    shown = [
        widgets.VBox([widgets.HTML(TITLES[name]), picture], layout={"width": "33%"})
        for name, picture in pictures.items()
    ]
    return widgets.HBox(shown)


def _slider(kind: type, label: str, low: float, high: float, says: str, value: float = 0):
    return kind(
        min=low,
        max=max(high, value),
        value=max(value, low),
        description=label,
        tooltip=says,
        continuous_update=False,
        style=LABEL,
        layout=WIDTH,
    )


def _row(name: str, values: pd.Series) -> str:
    digits, unit = (2, ", dB") if name in DECIBELS else (4, "")
    difference = values.iloc[-1] - values.iloc[0]
    cells = [f"{value:.{digits}f}" for value in values] + [signed(difference, digits)]
    # nan: no pixel is salient, or the image is smaller than a block
    told = "".join(f"<td>{'–' if 'nan' in cell else cell}</td>" for cell in cells)
    return f"<tr><td>{LABELS[name]}{unit}</td>{told}</tr>"
