"""One photograph, one map, every knob: what becomes of the JPEG, in numbers or in a panel."""

from study.show.explore.panel import Panel
from study.show.explore.photos import read_photo
from study.show.explore.steps import AMPLIFIED, Step, step, table

__all__ = ["AMPLIFIED", "Panel", "Step", "read_photo", "step", "table"]
