"""The explorer's panel: widgets, of which every move makes one step."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial, wraps
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ipywidgets as widgets
import numpy as np

from msroi.encoder import METHODS, OFFERED
from msroi.images import ImageError, png
from msroi.metrics import salient_region
from study.show.explore import subject as subjects
from study.show.explore.canvas import Curtain, Easel, Stroke
from study.show.explore.subject import AMPLIFIED, PAINTED, UPLOADED, DrawMap, Photo, Subject

VIEWS = ("photograph", "standard JPEG", "this JPEG")  # on either side of the line
TITLES = {  # of the small ones
    "map": "Map, to paint on: 0 dark, 1 light",
    "JPEG": "This JPEG",
    "difference": f"Luma error ×{AMPLIFIED}: 0 black, 25.5 white",
}
ALERT = '<b style="color: var(--jp-error-color1, #b00020)">{}</b>'  # as JupyterLab's errors
LOOK = {"style": {"description_width": "6em"}, "layout": {"width": "21em"}}
UNCUT = {"description_width": "initial"}  # as wide as its words
INDENTED = {"margin": "2px 2px 2px 6.5em"}
FITTED = {"height": "auto", "width": "100%", "margin": "0"}
choice = partial(widgets.Dropdown, **LOOK)


def told(action: Callable[["Panel"], None]) -> Callable[..., None]:
    """Make a handler of the panel's events, whose errors and warnings become sentences in it.

    One handler may call another; the events that it causes itself are not heard.
    """

    @wraps(action)
    def handler(panel: "Panel", event: Any = None) -> None:
        if panel.busy:
            return action(panel) if event is None else None
        panel.busy = True
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always", UserWarning)
            try:
                action(panel)
                said = "; ".join(str(note.message) for note in notes)
            except (ValueError, OSError) as error:
                said = f"{error}. What is shown is from before."
            finally:
                panel.busy = False
        panel.message.value = said and ALERT.format(escape(said))

    return handler


class Panel(widgets.VBox):
    """Choose a photograph and a map, move a knob, and see what becomes of the JPEG.

    The photographs to choose from are those of a folder, and a map is drawn when it is first
    chosen. ``image`` and ``map_name`` are chosen at first, and ``settings`` are where the knobs
    stand: all those of `study.show.explore.step`. `steps` are what is shown, by their methods.

    Raises ImageError where the first photograph cannot be read. Later errors are told in the panel.
    """

    def __init__(
        self, folder: Path, maps: Mapping[str, DrawMap], *, image: str, map_name: str, **settings
    ) -> None:
        self.busy, self.maps = False, maps
        self.files, self.uploaded = subjects.pictures_in(folder), None
        self.image = choice(description="photograph", options=[*self.files, UPLOADED], value=image)
        self.map = choice(description="map", options=[*maps, PAINTED, UPLOADED], value=map_name)
        self.image_file, self.map_file = (
            widgets.FileUpload(description=f"upload {what}", accept="image/*", layout=INDENTED)
            for what in ("photo", "map")
        )
        self.brush = {
            "does": choice(description="brush", options=["adds", "erases"]),
            "radius": _slider("radius, %", 10, 1, 60, "of the shorter side"),
        }
        self.clear_map = widgets.Button(description="clear the map", layout=INDENTED)
        self.knobs = _knobs(settings)
        self.about, self.message, self.numbers = (widgets.HTML() for _ in range(3))
        self.easel, self.curtain = Easel(self.paint), Curtain()
        self.pictures = {name: widgets.Image(layout=FITTED) for name in ("JPEG", "difference")}
        self.sides = [
            choice(description=f"{where} of the line", options=VIEWS, value=value, style=UNCUT)
            for where, value in (("left", "photograph"), ("right", "this JPEG"))
        ]
        super().__init__([*self._rows(), widgets.HBox(self.sides), self.curtain])
        self._listen()
        self._take(subjects.read_photo(self.files[image]))
        self.show_all()

    def _rows(self) -> list[widgets.Widget]:
        """Lay out the controls and numbers side by side, the message, and the small pictures."""
        chosen = [self.image, self.image_file, self.map, self.map_file, *self.brush.values()]
        columns = [[*chosen, self.clear_map], list(self.knobs.values()), [self.about, self.numbers]]
        titled = [
            widgets.VBox([widgets.HTML(TITLES[name]), picture], layout={"flex": "1 1 0"})
            for name, picture in {"map": self.easel, **self.pictures}.items()
        ]
        wrapping = {"flex_flow": "row wrap", "grid_gap": "0.5em 2em"}
        controls = widgets.HBox([widgets.VBox(column) for column in columns], layout=wrapping)
        return [controls, self.message, widgets.HBox(titled, layout={"grid_gap": "0.5em"})]

    def _listen(self) -> None:
        heard = {
            self.change_photo: [self.image],
            self.show_all: [self.map],
            self.show_step: self.knobs.values(),
            self.take_brush: self.brush.values(),
            self.show_sides: self.sides,
            self.upload_photo: [self.image_file],
            self.upload_map: [self.map_file],
        }
        for handler, sources in heard.items():
            for source in sources:
                source.observe(handler, "value")
        self.clear_map.on_click(self.clear)

    @property
    def saliency(self) -> np.ndarray:
        """The map that is chosen: float32 [H, W] in [0, 1]."""
        return self.subject.saliency(self.map.value)

    @told
    def change_photo(self) -> None:
        """Read the photograph that is chosen."""
        if self.image.value != UPLOADED:
            self._take(subjects.read_photo(self.files[self.image.value]))
        elif self.uploaded:
            self._take(self.uploaded)
        else:
            raise ValueError("no photograph is uploaded yet: press “upload photo”")
        self.show_all()

    @told
    def upload_photo(self) -> None:
        """Read the photograph that has just been uploaded, and choose it."""
        for photo in _uploads(self.image_file, subjects.read_photo):
            self.uploaded, self.image.value = photo, UPLOADED
            self.change_photo()

    @told
    def upload_map(self) -> None:
        """Read the map that has just been uploaded, and choose it."""
        for saliency in _uploads(self.map_file, partial(subjects.read_map_of, self.subject.photo)):
            self._choose(UPLOADED, saliency)

    def paint(self, path: Stroke) -> None:
        """Add to the map along a stroke of the brush, or erase; it becomes the painted one."""
        self.path = path
        self.follow_stroke()

    @told
    def follow_stroke(self) -> None:
        """Take the last stroke into the map that is shown."""
        touched = subjects.touch(self.subject.shape, self.path, self.easel.radius)
        if self.brush["does"].value == "adds":
            self._choose(PAINTED, 1 - (1 - self.saliency) * (1 - touched))
        else:
            self._choose(PAINTED, self.saliency * (1 - touched))

    @told
    def take_brush(self) -> None:
        """Take the brush that is chosen: per cent of the photograph's shorter side."""
        self.easel.radius = self.brush["radius"].value / 100 * min(self.subject.shape)
        self.easel.colour = {"adds": "white", "erases": "black"}[self.brush["does"].value]

    @told
    def clear(self) -> None:
        """Paint anew, on black."""
        self._choose(PAINTED, np.zeros(self.subject.shape, np.float32))

    @told
    def show_all(self) -> None:
        """Show the map that is chosen, and what it leads to."""
        self.show_map()
        self.show_step()

    @told
    def show_map(self) -> None:
        """Show the map that is chosen, as light on the photograph."""
        self.easel.show(subjects.lit(self.subject.photo.pixels, self.saliency))

    @told
    def show_step(self) -> None:
        """Encode as the knobs stand, and show what comes out."""
        settings = {name: knob.value for name, knob in self.knobs.items()}
        heeded = ["method", "quality", *METHODS[settings["method"]].options]
        for name, knob in self.knobs.items():
            knob.disabled = name not in heeded
        self.steps = self.subject.steps(self.map.value, settings)
        own, standard = self.steps[settings["method"]], self.steps["standard"]
        self.views |= {"this JPEG": own.pixels, "standard JPEG": standard.pixels}
        self.pictures["JPEG"].value = own.data
        self.pictures["difference"].value = png(own.difference)
        salient = salient_region(self.saliency)
        self.numbers.value = subjects.numbers(subjects.table(self.steps), salient)
        self.show_sides()

    @told
    def show_sides(self) -> None:
        """Show the two pictures that are chosen, under one line."""
        self.curtain.show(*(self.views[side.value] for side in self.sides))

    def _take(self, photo: Photo) -> None:
        if self.map.value in (PAINTED, UPLOADED):  # on the last photograph
            self.map.value = next(iter(self.maps))
        self.subject = Subject(photo, self.maps)
        self.views = {"photograph": photo.pixels}
        self.take_brush()
        (H, W), (height, width) = self.subject.shape, photo.shape
        scaled = "" if (height, width) == (H, W) else f", scaled to {W}×{H} so that moves are quick"
        self.about.value = escape(f"{self.image.value}: {width}×{height} pixels{scaled}")

    def _choose(self, name: str, saliency: np.ndarray) -> None:
        self.subject.keep(name, saliency)
        self.map.value = name
        self.show_all()


def _knobs(at: Mapping[str, Any]) -> dict[str, widgets.ValueWidget]:
    """Make the list of methods and the sliders, named as the arguments of `step`."""
    half = partial(widgets.FloatSlider, step=0.5, readout_format=".1f")
    budget = "its standard JPEG's bytes are the budget"
    return {
        "method": choice(description="method", options=list(OFFERED), value=at["method"]),
        "quality": _slider("quality", at["quality"], 1, 100, budget),
        "strength": _slider("strength", at["strength"], 0, 8, "how much the map weighs", half),
        "levels": _slider("levels, k", at["levels"], 2, 12, "of the mosaic"),
        "q_low": _slider("q_low, Q_l", at["q_low"], 1, 100, "quality of the lowest level"),
        "q_high": _slider("q_high, Q_h", at["q_high"], 1, 100, "quality of the highest level"),
    }


def _slider(label, value, low, high, says, kind=widgets.IntSlider) -> widgets.ValueWidget:
    """Make a slider that is heard when it is let go; its range is widened to hold its value."""
    span = partial(kind, value=value, min=low, max=max(high, value))
    return span(description=label, tooltip=says, continuous_update=False, **LOOK)


def _uploads(button: widgets.FileUpload, read: Callable[[Path], Any]) -> Iterator[Any]:
    """Read what was uploaded; the button forgets it, so that the same file may come again.

    An ImageError tells the name that the file's owner knows.
    """
    uploads, button.value = button.value, ()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        for upload in uploads:
            path.write_bytes(upload["content"])
            try:
                yield read(path)
            except ImageError as error:
                raise ImageError(str(error).replace(str(path), upload["name"])) from error
