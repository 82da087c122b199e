"""One photograph, one map, every knob: what becomes of the JPEG, in numbers or in a panel."""

from study.show.explore.panel import Panel
from study.show.explore.steps import AMPLIFIED, step, table
from study.show.explore.subject import read_photo

__all__ = ["AMPLIFIED", "Panel", "read_photo", "step", "table"]
