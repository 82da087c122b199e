"""What the sections of params.yaml are made of: kinds of values, and what all sections share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from msroi.architecture import STRIDE

OMITTED: Any = None  # the default of a field that may be left out, but is never null

Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Quality = Annotated[int, Field(ge=1, le=100)]
Side = Annotated[int, Field(ge=STRIDE, le=65_500)]  # pixels, of what a network sees
Size = Annotated[list[Side], Field(min_length=2, max_length=2)]


class Section(BaseModel):
    """Holds what its fields name, each of its very type, and nothing else."""

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Heads(Section):
    msroi: Text
    """The .onnx file of the head that draws MS-ROI's maps."""
    cam: Text
    """The .onnx file of the head that draws CAM's."""
