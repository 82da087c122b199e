"""Frames of any kind made what both encoders take: whole ones, of 8 bits, 4:2:0 and even sides."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

MPEG, BT709 = 1, 1  # ffmpeg's numbers: limited range, and the matrix for pixels that are RGB


class Preparation:
    """Makes a video's frames ready, some of them only after the next ones have come.

    ``size`` is the height and width that frames are brought to, where the file changes it;
    sides that are odd then become even by a repeated row or column. ``interlaced`` frames are made
    whole, as many as they were.
    """

    def __init__(self, size: tuple[int, int], time_base: Fraction, *, interlaced: bool) -> None:
        from av.video.reformatter import VideoReformatter

        self._size, self._time_base, self._interlaced = size, time_base, interlaced
        self._reformatter, self._graph = VideoReformatter(), None
        self._direct = not interlaced and even(size) == size

    def __call__(self, frame: Any) -> Iterator[Any]:
        ready = converted(frame, self._size, self._reformatter)
        if self._direct:
            yield ready
            return
        if self._graph is None:
            filters = [*_whole(self._interlaced), *_even(self._size)]
            self._graph = _graph(ready, self._time_base, filters)
        self._graph.push(ready)
        yield from self._pulled()

    def rest(self) -> Iterator[Any]:
        """The frames that have not come yet."""
        if self._graph:
            self._graph.push(None)
            yield from self._pulled()

    def _pulled(self) -> Iterator[Any]:
        import av

        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if frame.pts is not None:
                frame.pts = round(frame.pts * frame.time_base / self._time_base)
            yield frame


def even(size: tuple[int, int]) -> tuple[int, int]:
    """A height and a width, each made even by one more."""
    height, width = size
    return height + height % 2, width + width % 2


def converted(frame: Any, size: tuple[int, int], reformatter: Any) -> Any:
    """A frame in 8 bits and 4:2:0, in the range that it has; of RGB, by BT.709."""
    height, width = size
    name = "yuvj420p" if frame.format.name.startswith("yuvj") else "yuv420p"
    matrix, range_ = (BT709, MPEG) if frame.format.is_rgb else (None, None)
    return reformatter.reformat(
        frame, width, height, name, dst_colorspace=matrix, dst_color_range=range_
    )


def losses(frame: Any) -> Iterator[str]:
    """What of a frame `Preparation` does not keep, a line each."""
    kind, bits = frame.format.name, max(part.bits for part in frame.format.components)
    if any(part.is_alpha for part in frame.format.components):
        yield "its transparency is left out"
    if bits > 8:
        yield f"its {bits} bits a sample become 8"
    if "420p" not in kind and kind not in ("nv12", "nv21"):
        yield f"its samples ({kind}) become 4:2:0, where colour has half the sides"
    if frame.interlaced_frame:
        yield "its interlaced frames become whole ones, as many as they were"
    if even((frame.height, frame.width)) != (frame.height, frame.width):
        height, width = even((frame.height, frame.width))
        yield f"4:2:0 has even sides: the last row or column is repeated, to {width}×{height}"


def _whole(interlaced: bool) -> list[tuple[str, str]]:
    return [("bwdif", "mode=send_frame:deint=interlaced")] if interlaced else []


def _even(size: tuple[int, int]) -> list[tuple[str, str]]:
    height, width = even(size)
    bottom, right = height - size[0], width - size[1]
    if not bottom and not right:
        return []
    edges = f"right={right}:bottom={bottom}:mode=smear"
    return [("pad", f"{width}:{height}"), ("fillborders", edges)]


def _graph(frame: Any, time_base: Fraction, filters: list[tuple[str, str]]) -> Any:
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=time_base
    )
    nodes = [graph.add(name, told) for name, told in filters]
    graph.link_nodes(source, *nodes, graph.add("buffersink")).configure()
    return graph
