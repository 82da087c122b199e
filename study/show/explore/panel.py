"""The explorer's panel: widgets, of which every move makes one step."""

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np

from msroi.images import png
from msroi.saliency import SaliencyOf
from study.show.explore import brush, controls
from study.show.explore.photos import Photo, map_reader, pictures_in, read_photo, read_upload
from study.show.explore.steps import table
from study.show.explore.subject import PAINTED, UPLOADED, Subject


def told(action: Callable[["Panel"], None]) -> Callable[..., None]:
    """A handler of the panel's events whose errors and warnings become sentences in it.

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
        panel.message.value = controls.alert(said)

    return handler


class Panel(widgets.VBox):
    """Choose a photograph and a map, move a knob, and see what becomes of the JPEG.

    Parameters
    ----------
    folder : str or Path
        Of the photographs to choose from.
    maps : Mapping of str to (image → map)
        As `msroi.saliency.named_maps` gives them.
    image, map_name : str
        The first choice: a file of the folder, and one of the maps.
    **settings
        Of `study.show.explore.step`: where the knobs stand at first.

    Attributes
    ----------
    steps : dict of str to Step
        What is shown: of the standard JPEG, and of the method.
    saliency : float32 [H, W] in [0, 1]
        The map that is chosen.

    Raises
    ------
    ImageError
        The first photograph cannot be read. Later errors are told in the panel.
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
        self.busy, self.maps = False, maps
        self.files = pictures_in(folder)
        self.uploaded: Photo | None = None
        self.image = controls.choice("photograph", [*self.files, UPLOADED], image)
        self.map = controls.choice("map", [*maps, PAINTED, UPLOADED], map_name)
        self.image_file = controls.upload("upload photo")
        self.map_file = controls.upload("upload map")
        self.brush, self.buttons = controls.brush(), controls.brush_buttons()
        self.knobs = controls.knobs(settings)
        self.about, self.message, self.numbers = (widgets.HTML() for _ in range(3))
        self.pictures = {name: controls.picture() for name in controls.TITLES}
        self.view, self.large = controls.views(), controls.large_picture()
        super().__init__(controls.arranged(self))
        self._listen()
        self._take(read_photo(self.files[image]))
        self.show_all()

    def _listen(self) -> None:
        heard = {
            self.change_photo: [self.image],
            self.show_all: [self.map],
            self.show_step: self.knobs.values(),
            self.show_map: self.brush.values(),
            self.show_view: [self.view],
            self.upload_photo: [self.image_file],
            self.upload_map: [self.map_file],
        }
        for handler, sources in heard.items():
            for source in sources:
                source.observe(handler, "value")
        for name, button in self.buttons.items():
            button.on_click(getattr(self, name))

    @property
    def saliency(self) -> np.ndarray:
        return self.subject.saliency(self.map.value)

    @told
    def change_photo(self) -> None:
        """Read the photograph that is chosen."""
        if self.image.value != UPLOADED:
            self._take(read_photo(self.files[self.image.value]))
        elif self.uploaded:
            self._take(self.uploaded)
        else:
            raise ValueError("no photograph is uploaded yet: press “upload photo”")
        self.show_all()

    @told
    def upload_photo(self) -> None:
        """Read the photograph that has just been uploaded, and choose it."""
        for upload in _emptied(self.image_file):
            self.uploaded = read_upload(upload, read_photo)
            self.image.value = UPLOADED
            self._take(self.uploaded)
            self.show_all()

    @told
    def upload_map(self) -> None:
        """Read the map that has just been uploaded, and choose it."""
        for upload in _emptied(self.map_file):
            self._choose(UPLOADED, read_upload(upload, map_reader(self.subject.photo)))

    @told
    def add(self) -> None:
        """Touch the map with the brush, whichever is shown; it becomes the painted one."""
        self._choose(PAINTED, brush.add(self.saliency, self._touch()))

    @told
    def erase(self) -> None:
        """Rub out of the map where the brush is."""
        self._choose(PAINTED, brush.erase(self.saliency, self._touch()))

    @told
    def clear(self) -> None:
        """Paint anew, on black."""
        self._choose(PAINTED, self.subject.black())

    @told
    def show_all(self) -> None:
        """Show the map that is chosen, and what it leads to."""
        self.show_map()
        self.show_step()

    @told
    def show_map(self) -> None:
        """Show the map that is chosen, and where the brush is."""
        self.pictures["map"].value = png(brush.map_picture(self.saliency, self._brush()))

    @told
    def show_step(self) -> None:
        """Encode as the knobs stand, and show what comes out."""
        controls.heed(self.knobs)
        settings = {name: knob.value for name, knob in self.knobs.items()}
        self.steps = self.subject.steps(self.map.value, settings)
        own, standard = self.steps[settings["method"]], self.steps["standard"]
        self.views |= {"this JPEG": own.data, "standard JPEG": standard.data}
        self.pictures["JPEG"].value = own.data
        self.pictures["difference"].value = png(own.difference)
        self.numbers.value = controls.numbers(table(self.steps), own.difference.size)
        self.show_view()

    @told
    def show_view(self) -> None:
        """Show the picture that is chosen at its true size."""
        self.large.value = self.views.get(self.view.value, b"")

    def _take(self, photo: Photo) -> None:
        if self.map.value in (PAINTED, UPLOADED):  # on the last photograph
            self.map.value = next(iter(self.maps))
        self.subject = Subject(photo, self.maps)
        self.views = {"photograph": png(photo.pixels)}
        self.about.value = controls.about(self.image.value, photo)

    def _choose(self, name: str, saliency: np.ndarray) -> None:
        self.subject.keep(name, saliency)
        self.map.value = name
        self.show_all()

    def _touch(self) -> np.ndarray:
        return brush.touch(self.subject.shape, self._brush())

    def _brush(self) -> brush.Brush:
        """In pixels, of sliders that are per cent of the photograph."""
        H, W = self.subject.shape
        across, down, radius = (slider.value / 100 for slider in self.brush.values())
        return across * W, down * H, radius * min(H, W)


def _emptied(button: widgets.FileUpload) -> list[Mapping[str, Any]]:
    """What was uploaded; the button forgets it, so that the same file may come again."""
    uploads = list(button.value)
    button.value = ()
    return uploads
