"""One photograph, one map, every knob: what becomes of the JPEG, in numbers or in a panel."""

from msroi.explore.panel import Panel
from msroi.explore.photos import read_photo
from msroi.explore.steps import AMPLIFIED, METHODS, Step, step, table

__all__ = ["AMPLIFIED", "METHODS", "Panel", "Step", "read_photo", "step", "table"]
