"""Scenes like photographs, of objects whose masks are known: rendered, at any size."""

from study.rendered.scenes.scene import render
from study.rendered.scenes.sets import write_set

__all__ = ["render", "write_set"]
