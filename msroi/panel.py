"""The explorer's panel: widgets around `msroi.explore` in which every move makes one step."""

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np

from msroi import controls, explore
from msroi.images import png
from msroi.maps import SaliencyOf
from msroi.saliency import flat_map

PAINTED, UPLOADED = "painted", "uploaded"
WORDS = 'style="color: var(--jp-error-color1, #b00020)"'


def told(action: Callable[["Panel"], None]) -> Callable[..., None]:
    """An event's handler of the panel whose errors and warnings become sentences in it."""

    @wraps(action)
    def handler(panel: "Panel", _event: Any = None) -> None:
        if panel.busy:  # the event is one that a handler caused itself
            return
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
        panel.message.value = f"<b {WORDS}>{escape(said)}</b>"

    return handler


class Panel(widgets.VBox):
    """Choose a photograph and a map, move a knob, and see what becomes of the JPEG.

    Parameters
    ----------
    folder : str or Path
        Of the photographs to choose from.
    maps : Mapping of str to (image → map)
        As `msroi.maps.named_maps` gives them; a flat one is added.
    image, map_name : str
        The first choice: a file of the folder, and one of the maps.
    **settings
        Of `msroi.explore.step`: where the knobs stand at first.

    Attributes
    ----------
    steps : dict of str to Step
        What is shown: of the standard JPEG, and of the method.
    saliency : float32 [H, W] in [0, 1]
        The map that is chosen.
    """

    def __init__(
        self,
        folder: str | Path,
        maps: Mapping[str, SaliencyOf],
        *,
        image: str,
        map_name: str,
        **settings: Any,
    ) -> None:
        self.busy = False
        self.files = explore.pictures_in(folder)
        self.maps = {**maps, "flat": flat_map}
        self.uploaded: explore.Photo | None = None
        self.image = controls.choice("photograph", [*self.files, UPLOADED], image)
        self.map = controls.choice("map", [*self.maps, PAINTED, UPLOADED], map_name)
        self.image_file = controls.upload("upload a photograph")
        self.map_file = controls.upload("upload a map")
        self.brush, self.buttons = controls.brush(), controls.brush_buttons()
        self.knobs = controls.knobs(settings)
        self.about, self.message, self.numbers = (widgets.HTML() for _ in range(3))
        self.pictures = {name: controls.picture() for name in ("map", "JPEG", "difference")}
        self.views, self.large = controls.views(), controls.large_picture()
        chosen = [self.image, self.image_file, self.map, self.map_file]
        painting = [*self.brush.values(), widgets.HBox(list(self.buttons.values()))]
        told = [self.about, self.numbers]
        super().__init__(
            [
                controls.columns(chosen + painting, list(self.knobs.values()), told),
                self.message,
                controls.row(self.pictures),
                self.views,
                self.large,
            ]
        )
        self._listen()
        self.change_photo()

    def _listen(self) -> None:
        heard = {
            self.change_photo: [self.image],
            self.change_map: [self.map],
            self.change_knob: self.knobs.values(),
            self.change_brush: self.brush.values(),
            self.change_view: [self.views],
            self.upload_photo: [self.image_file],
            self.upload_map: [self.map_file],
        }
        for handler, sources in heard.items():
            for source in sources:
                source.observe(handler, "value")
        for name, button in self.buttons.items():
            button.on_click(getattr(self, name))

    @told
    def change_photo(self) -> None:
        """Read the photograph that is chosen."""
        if self.image.value != UPLOADED:
            self._take(explore.read_photo(self.files[self.image.value]))
        elif self.uploaded:
            self._take(self.uploaded)
        else:
            raise ValueError("No photograph is uploaded yet: press “upload a photograph”")

    @told
    def upload_photo(self) -> None:
        """Read the photograph that has just been uploaded, and choose it."""
        for upload in _taken(self.image_file):
            self.uploaded = explore.read_upload(upload, explore.read_photo)
            self.image.value = UPLOADED
            self._take(self.uploaded)

    @told
    def change_map(self) -> None:
        """Show the map that is chosen, and follow it."""
        self._follow()

    @told
    def upload_map(self) -> None:
        """Read the map that has just been uploaded, and choose it."""
        for upload in _taken(self.map_file):
            read = explore.map_reader(self.photo)
            self._choose(UPLOADED, explore.read_upload(upload, read))

    @told
    def add(self) -> None:
        """Touch the map with the brush, whichever is shown; it becomes the painted one."""
        self._choose(PAINTED, explore.add(self.saliency, self._touch()))

    @told
    def erase(self) -> None:
        """Rub out of the map where the brush is."""
        self._choose(PAINTED, explore.erase(self.saliency, self._touch()))

    @told
    def clear(self) -> None:
        """Paint anew, on black."""
        self._choose(PAINTED, self._black())

    @told
    def change_brush(self) -> None:
        """Show where the brush is."""
        self._show_map()

    @told
    def change_knob(self) -> None:
        """Encode as the knobs stand."""
        self._encode()

    @told
    def change_view(self) -> None:
        """Show another picture at its true size."""
        self._show_large()

    @property
    def saliency(self) -> np.ndarray:
        """The map that is chosen, drawn once for a photograph."""
        name = self.map.value
        if name not in self.drawn:
            if name == UPLOADED:
                raise ValueError("No map of this photograph is uploaded: press “upload a map”")
            self.drawn[name] = self.maps[name](self.photo.pixels)
        return self.drawn[name]

    def _take(self, photo: explore.Photo) -> None:
        self.photo = photo
        self.drawn = {PAINTED: self._black()}
        self.views_of = {"photograph": png(photo.pixels)}
        self.about.value = controls.about(self.image.value, photo)
        self._follow()

    def _choose(self, name: str, saliency: np.ndarray) -> None:
        self.drawn[name] = saliency
        self.map.value = name
        self._follow()

    def _follow(self) -> None:
        self.standards: dict[int, explore.Step] = {}  # PSNR-S looks at the map
        self._show_map()
        self._encode()

    def _encode(self) -> None:
        settings = {name: knob.value for name, knob in self.knobs.items()}
        method, quality = settings["method"], settings["quality"]
        controls.heed(self.knobs)
        own = explore.step(self.photo.pixels, self.saliency, **settings)
        if quality not in self.standards:
            plain = settings | {"method": "standard"}
            self.standards[quality] = explore.step(self.photo.pixels, self.saliency, **plain)
        self.steps = {"standard": self.standards[quality], method: own}
        self._show()

    def _show(self) -> None:
        own, standard = self.steps[self.knobs["method"].value], self.steps["standard"]
        self.views_of |= {"this JPEG": own.data, "standard JPEG": standard.data}
        self.pictures["JPEG"].value = own.data
        self.pictures["difference"].value = png(own.difference)
        self.numbers.value = controls.numbers(explore.table(self.steps), own.difference.size)
        self._show_large()

    def _show_map(self) -> None:
        drawn = explore.map_picture(self.saliency, self._brush())
        self.pictures["map"].value = png(drawn)

    def _show_large(self) -> None:
        self.large.value = self.views_of[self.views.value]

    def _touch(self) -> np.ndarray:
        return explore.spot(self.photo.pixels.shape[:2], self._brush())

    def _brush(self) -> tuple[float, float, float]:
        """Centre and radius in pixels, of sliders that are per cent of the photograph."""
        H, W = self.photo.pixels.shape[:2]
        across, down, radius = (slider.value / 100 for slider in self.brush.values())
        return across * W, down * H, radius * min(H, W)

    def _black(self) -> np.ndarray:
        return np.zeros(self.photo.pixels.shape[:2], np.float32)


def _taken(button: widgets.FileUpload) -> list[Mapping[str, Any]]:
    """What was uploaded; the button forgets it, so that the same file may come again."""
    uploads = list(button.value)
    button.value = ()
    return uploads
