"""The tensors inside an ONNX file, and whether they are what a network of ours may hold.

The package onnx reads them too, but takes more disk than all of ONNX Runtime's own needs beside it:
so the few messages of its format (github.com/onnx/onnx, onnx.proto) that lead to tensors are listed
here, for protobuf to read.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# message → field → its number, and its type: another message, or one of `SCALARS`
MESSAGES = {
    "Model": {"graph": (7, "Graph"), "functions": (25, "Function")},
    "Function": {"node": (7, "Node")},
    "Graph": {"node": (1, "Node"), "initializer": (5, "Tensor"), "sparse": (15, "Sparse")},
    "Sparse": {"values": (1, "Tensor"), "indices": (2, "Tensor")},
    "Node": {"attribute": (5, "Attribute")},
    "Attribute": {
        "t": (5, "Tensor"),
        "g": (6, "Graph"),
        "tensors": (10, "Tensor"),
        "graphs": (11, "Graph"),
        "sparse": (22, "Sparse"),
        "sparses": (23, "Sparse"),
    },
    "Tensor": {
        "data_type": (2, "int"),
        "floats": (4, "float"),
        "ints": (5, "int"),
        "raw": (9, "bytes"),
        "doubles": (10, "double"),
        "external": (13, "External"),
        "location": (14, "int"),
    },
    "External": {},
}
FIELD = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    "int": FIELD.TYPE_INT32,
    "float": FIELD.TYPE_FLOAT,
    "double": FIELD.TYPE_DOUBLE,
    "bytes": FIELD.TYPE_BYTES,
}
SINGLE = {"data_type", "raw", "location"}  # all other fields may occur more than once
FLOAT, HALF, DOUBLE, BRAIN = 1, 10, 11, 16  # of `data_type`; the others are whole numbers
RAW = {FLOAT: "<f4", HALF: "<f2", DOUBLE: "<f8"}


def tensors(data: bytes) -> Iterator[Any]:
    """Yield every tensor of an ONNX file, wherever it lies: weights, constants, functions.

    protobuf's DecodeError if the bytes are no such file.
    """
    model = _model()()
    model.ParseFromString(data)
    yield from _inside(model)


def is_external(tensor: Any) -> bool:
    """Whether a tensor's values lie in another file."""
    return tensor.location == 1 or len(tensor.external) > 0


def is_finite(tensor: Any) -> bool:
    """Whether a tensor's values, if they are no whole numbers, are all finite."""
    return bool(np.isfinite(_values(tensor)).all())


def _values(tensor: Any) -> np.ndarray:
    kind = tensor.data_type
    if kind == BRAIN:  # the upper half of a float32
        halves = np.frombuffer(tensor.raw, "<u2") if tensor.raw else np.array(tensor.ints, "u2")
        return (halves.astype("u4") << 16).view(np.float32)
    if kind not in RAW:
        return np.empty(0)
    if tensor.raw:
        return np.frombuffer(tensor.raw, RAW[kind])
    if kind == HALF:
        return np.array(tensor.ints, np.uint16).view(np.float16)
    return np.array(tensor.floats if kind == FLOAT else tensor.doubles)


def _inside(message: Any) -> Iterator[Any]:
    if message.DESCRIPTOR.name == "Tensor":
        yield message
        return
    for _, values in message.ListFields():
        for inner in values:
            yield from _inside(inner)


@cache
def _model() -> type:
    """Make protobuf's class of an ONNX file."""
    file = descriptor_pb2.FileDescriptorProto(name="msroi/onnx.proto", package="msroi")
    file.syntax = "proto3"
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            label = FIELD.LABEL_OPTIONAL if field in SINGLE else FIELD.LABEL_REPEATED
            added = message.field.add(name=field, number=number, label=label)
            added.type = SCALARS.get(kind, FIELD.TYPE_MESSAGE)
            if kind in MESSAGES:
                added.type_name = f".msroi.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("msroi.Model"))
