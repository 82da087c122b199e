"""The panel's canvases: a map that the mouse paints, and two pictures under one line."""

from collections.abc import Callable

import numpy as np
from ipycanvas import Canvas, MultiCanvas, hold_canvas

Stroke = list[tuple[float, float]]  # x from the left, y from the top, in pixels

FITTED = {"width": "100%", "height": "auto"}
RIM = (("black", 3), ("white", 1))  # lines that stand out from any picture: colour, width
AT_MOST_AS_WIDE = {"max_width": "100%", "height": "auto", "align_self": "flex-start"}


class Easel(MultiCanvas):
    """A picture on which the mouse draws: a ring shows the brush, and a trace where it has been.

    ``painted`` is called with the path of each stroke, from where the button went down to where it
    came up or left the picture. The radius of the brush is in pixels.
    """

    def __init__(self, painted: Callable[[Stroke], None]) -> None:
        super().__init__(2, layout=FITTED)  # the picture, and the brush above it
        self.painted, self.radius, self.colour, self.stroke = painted, 1.0, "white", []
        self.on_client_ready(self._redraw)
        self.on_mouse_down(self._begin)
        self.on_mouse_move(self._go_on)
        self.on_mouse_up(self._end)
        self.on_mouse_out(self._leave)

    def show(self, picture: np.ndarray) -> None:
        """Show a picture, uint8 [H, W, 3], without traces of the brush."""
        self.picture = picture
        _fit(self, picture)
        self._redraw()

    def _redraw(self) -> None:
        with hold_canvas():
            self[0].put_image_data(self.picture)
            self[1].clear()

    def _begin(self, x: float, y: float) -> None:
        self.stroke = [(x, y)]

    def _go_on(self, x: float, y: float) -> None:
        brush = self[1]
        with hold_canvas():
            brush.clear()
            if self.stroke:
                self.stroke.append((x, y))
                self._trace(brush)
            for colour, width in RIM:
                brush.stroke_style, brush.line_width = colour, width
                brush.stroke_circle(x, y, self.radius)

    def _trace(self, brush: Canvas) -> None:
        """Draw where the brush has been: one line as wide as it is, equally light all along."""
        brush.global_alpha, brush.stroke_style = 0.4, self.colour
        brush.line_width, brush.line_cap, brush.line_join = 2 * self.radius, "round", "round"
        brush.stroke_lines(self.stroke)
        brush.global_alpha = 1

    def _end(self, x: float, y: float) -> None:
        path, self.stroke = self.stroke, []
        if path:
            self.painted([*path, (x, y)])

    def _leave(self, x: float, y: float) -> None:
        """End the stroke where it was last seen: beyond the edge there is nothing to paint."""
        if self.stroke:
            self._end(*self.stroke[-1])
        else:
            self[1].clear()


class Curtain(Canvas):
    """Two pictures of one size in one place: left of a line the first, right of it the other.

    The mouse drags the line; it begins in the middle. `line` is its place, in pixels.
    """

    def __init__(self) -> None:
        super().__init__(layout=AT_MOST_AS_WIDE)
        self.line, self.held = 0.0, False
        self.sides = [Canvas(), Canvas()]  # never shown: the browser draws from them
        self.on_client_ready(self._fill)
        self.on_mouse_down(self._take)
        self.on_mouse_move(self._drag)
        for end in (self.on_mouse_up, self.on_mouse_out):
            end(self._let_go)

    def show(self, left: np.ndarray, right: np.ndarray) -> None:
        """Show two pictures, uint8 [H, W, 3]; the line stays, unless their size is new."""
        if (self.height, self.width) != left.shape[:2] or not self.line:
            self.line = left.shape[1] / 2
        self.pictures = left, right
        _fit(self, left)
        self._fill()

    def _fill(self) -> None:
        for side, picture in zip(self.sides, self.pictures, strict=True):
            _fit(side, picture)
            side.put_image_data(picture)
        self._draw()

    def _draw(self) -> None:
        left, right = self.sides
        with hold_canvas():
            self.draw_image(left, 0, 0)
            self.save()
            self.begin_path()
            self.rect(self.line, 0, self.width - self.line, self.height)
            self.clip()
            self.draw_image(right, 0, 0)
            self.restore()
            for colour, width in RIM:
                self.stroke_style, self.line_width = colour, width
                self.stroke_line(self.line, 0, self.line, self.height)

    def _take(self, x: float, y: float) -> None:
        self.held = True
        self._drag(x, y)

    def _drag(self, x: float, y: float) -> None:
        if self.held:
            self.line = min(max(x, 1.0), self.width - 1.0)
            self._draw()

    def _let_go(self, x: float, y: float) -> None:
        self.held = False


def _fit(canvas: Canvas | MultiCanvas, picture: np.ndarray) -> None:
    """Make a canvas as large as a picture; one that is so already keeps what is on it."""
    height, width = picture.shape[:2]
    if (canvas.height, canvas.width) != (height, width):
        canvas.height, canvas.width = height, width
