"""One photograph, one map, every knob: what becomes of the JPEG, in numbers or in a panel."""

from study.show.explore.panel import Panel
from study.show.explore.subject import AMPLIFIED, read_photo, step, table

__all__ = ["AMPLIFIED", "Panel", "read_photo", "step", "table"]
