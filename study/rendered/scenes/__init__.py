"""Scenes like photographs, of objects whose masks are known: rendered, at any size."""

from study.rendered.scenes.scene import BACKGROUNDS, CLASSES, Scene, render
from study.rendered.scenes.sets import many_object_set, one_object_set, write_set

__all__ = [
    "BACKGROUNDS",
    "CLASSES",
    "Scene",
    "many_object_set",
    "one_object_set",
    "render",
    "write_set",
]
