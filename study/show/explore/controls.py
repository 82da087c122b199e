"""The parts of the explorer's panel, how they are laid out, and the words that it shows."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets
import pandas as pd

from msroi.encoder import METHODS, OFFERED
from msroi.metrics.table import ALL, DECIBELS
from study.article.captions import signed
from study.show.explore.photos import Photo
from study.show.explore.steps import AMPLIFIED, QUICK

VIEWS = ("this JPEG", "standard JPEG", "photograph")  # the large picture
TITLES = {  # of the small ones
    "map": "Map: 0 black, 1 light; ring: the brush",
    "JPEG": "This JPEG",
    "difference": f"Luma error ×{AMPLIFIED}: 0 black, 25.5 white",
}
OPTION_OF = {"strength": "strength", "k": "levels", "q_low": "q_low", "q_high": "q_high"}
LABEL = {"description_width": "6em"}
WIDTH = {"width": "18.5em"}
CELL = 'style="padding: 0.1em 0.8em 0.1em 0; text-align: {}"'


def choice(label: str, options: Sequence[str], value: str) -> widgets.Dropdown:
    """A list to choose from."""
    return widgets.Dropdown(
        description=label, options=options, value=value, style=LABEL, layout=WIDTH
    )


def upload(label: str) -> widgets.FileUpload:
    """A button for one file; what it holds is looked at when it has come."""
    layout = {"width": "12em", "margin": "2px 2px 2px 6.5em"}
    return widgets.FileUpload(description=label, accept="image/*", layout=layout)


def knobs(settings: Mapping[str, Any]) -> dict[str, widgets.ValueWidget]:
    """The method and its sliders, named as the arguments of `study.show.explore.step`."""
    whole, real = widgets.IntSlider, widgets.FloatSlider
    method = widgets.ToggleButtons(
        options=OFFERED, value=settings["method"], style={"button_width": "6.2em"}
    )
    ranges = {
        "quality": (whole, "quality", 1, 100, "its standard JPEG's bytes are the budget"),
        "strength": (real, "strength", 0, 8, "how much the map weighs"),
        "k": (whole, "levels, k", 2, 12, "of the mosaic"),
        "q_low": (whole, "q_low, Q_l", 1, 100, "quality of the lowest level"),
        "q_high": (whole, "q_high, Q_h", 1, 100, "quality of the highest level"),
    }
    sliders = {name: _slider(*given, settings[name]) for name, given in ranges.items()}
    sliders["strength"].step, sliders["strength"].readout_format = 0.5, ".1f"
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
    return {name: widgets.Button(description=name, layout={"width": "auto"}) for name in names}


def picture() -> widgets.Image:
    """A picture as wide as its column."""
    return widgets.Image(layout={"width": "100%", "height": "auto", "margin": "0"})


def large_picture() -> widgets.Image:
    """A picture at its true size, or as wide as the page."""
    layout = {"max_width": "100%", "height": "auto", "align_self": "flex-start"}
    return widgets.Image(layout=layout)


def views() -> widgets.ToggleButtons:
    """Which picture is the large one."""
    style, layout = {"button_width": "9em"}, {"margin": "0.8em 0 0 0"}
    return widgets.ToggleButtons(options=VIEWS, style=style, layout=layout)


def heed(knobs: Mapping[str, widgets.ValueWidget]) -> None:
    """Disable the knobs that the method does not heed."""
    heeded = METHODS[knobs["method"].value].options
    for name, option in OPTION_OF.items():
        knobs[name].disabled = option not in heeded


def arranged(panel: widgets.VBox) -> list[widgets.Widget]:
    """The panel's children: controls and numbers side by side, the pictures below them."""
    buttons = widgets.HBox(list(panel.buttons.values()), layout={"margin": "0 0 0 6.5em"})
    chosen = [panel.image, panel.image_file, panel.map, panel.map_file]
    groups = [
        [*chosen, *panel.brush.values(), buttons],
        list(panel.knobs.values()),
        [panel.about, panel.numbers],
    ]
    columns = widgets.HBox(
        [widgets.VBox(group) for group in groups],
        layout={"flex_flow": "row wrap", "grid_gap": "0.5em 2em"},
    )
    pictures = widgets.HBox(
        [
            widgets.VBox([widgets.HTML(TITLES[name]), image], layout={"flex": "1 1 0"})
            for name, image in panel.pictures.items()
        ],
        layout={"grid_gap": "0.5em"},
    )
    return [columns, panel.message, pictures, panel.view, panel.large]


def alert(said: str) -> str:
    """A sentence as HTML, in the colour of JupyterLab's errors."""
    return f'<b style="color: var(--jp-error-color1, #b00020)">{escape(said)}</b>' if said else ""


def about(name: str, photo: Photo) -> str:
    """The photograph's size, and whether it was scaled down."""
    (H, W), (height, width) = photo.pixels.shape[:2], photo.shape
    scaled = "" if (height, width) == (H, W) else f", scaled to {W}×{H} so that moves are quick"
    return escape(f"{name}: {width}×{height} pixels{scaled}")


def numbers(table: pd.DataFrame, pixels: int) -> str:
    """The bytes in a line and the metrics in a table, as HTML, of `study.show.explore.table`."""
    own = table.iloc[-1]
    said = (
        f"<b>{own['method']}</b> takes <b>{own['bytes']:,}</b> of {own['budget_bytes']:,} bytes:"
        f"<br>{own['bytes'] / own['budget_bytes']:.1%} of the budget, "
        f"{8 * own['bytes'] / pixels:.2f} bits a pixel"
    )
    heads = _row(["", *table["method"], "difference"])
    rows = "".join(_row(_cells(name, table[name])) for name in QUICK)
    return f'{said}<table style="line-height: 1.6">{heads}{rows}</table>'


def _slider(kind: type, label: str, low: float, high: float, says: str, value: float):
    return kind(
        min=low,
        max=max(high, value),
        value=value,
        description=label,
        tooltip=says,
        continuous_update=False,
        style=LABEL,
        layout=WIDTH,
    )


def _cells(name: str, values: pd.Series) -> list[str]:
    digits, unit = (2, ", dB") if name in DECIBELS else (4, "")
    difference = values.iloc[-1] - values.iloc[0]
    cells = [f"{value:.{digits}f}" for value in values] + [signed(difference, digits)]
    # nan: no pixel is salient, or the image is smaller than the metric's window
    return [ALL[name].label + unit, *("–" if "nan" in cell else cell for cell in cells)]


def _row(cells: Sequence[str]) -> str:
    sides = ["left", *["right"] * (len(cells) - 1)]
    shown = [
        f"<td {CELL.format(side)}>{cell}</td>" for side, cell in zip(sides, cells, strict=True)
    ]
    return f"<tr>{''.join(shown)}</tr>"
