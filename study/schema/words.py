"""What a parameter may hold, in words: for an error's line, and for the documentation."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

LONGEST = 60  # characters of a value that a line shows
WORDS = {"boolean": "true or false", "null": "null", "object": "a section", None: "anything"}


def shown(value: Any) -> str:
    """A value as YAML would have it, on one line and not too long."""
    named = {None: "null", True: "true", False: "false"}
    is_named = value is None or isinstance(value, bool)
    text = named[value] if is_named else repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def dotted(path: Sequence[Any]) -> str:
    """The path of a key, on one line."""
    names = [str(name) for name in path]
    return ".".join(name if name.isprintable() else repr(name) for name in names)


def may_hold(kind: type[BaseModel], path: Sequence[Any] = ()) -> str:
    """What stands at a path below a section may hold; its keys, where it is a section itself."""
    schema = _schema(kind)
    node = schema
    for name in path:
        node = _below(node, name, schema)
    return _words(node, schema)


def documentation(kind: type[BaseModel]) -> str:
    """A paragraph for every parameter: its path, what it may hold, its default, what it is."""
    schema = _schema(kind)
    return "\n".join(_paragraphs(schema, "", schema))


@cache
def _schema(kind: type[BaseModel]) -> dict[str, Any]:
    return kind.model_json_schema()


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = node.get("$ref", "").rpartition("/")[2]
    return schema["$defs"][name] if name else node


def _below(node: dict[str, Any], name: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """The node of a key, or of an item, in a section, or a list, which may be null."""
    for each in node.get("anyOf", [node]):
        found = _resolved(each, schema)
        further = found.get("additionalProperties") or {}
        inner = found.get("items") if isinstance(name, int) else None
        inner = inner or found.get("properties", {}).get(name) or further
        if isinstance(inner, dict) and inner:
            return inner
    return {}


def _words(node: dict[str, Any], schema: dict[str, Any]) -> str:
    node = _resolved(node, schema)
    if "anyOf" in node:
        return " or ".join(_words(each, schema) for each in node["anyOf"])
    if "enum" in node or "const" in node:
        names = node.get("enum") or [node["const"]]
        return " or ".join(", ".join(repr(name) for name in names).rsplit(", ", 1))
    match node.get("type"):
        case "integer" | "number":
            noun = "a whole number" if node["type"] == "integer" else "a number"
            return f"{noun}{_range(node)}"
        case "string":
            return "letters, digits, _ and -" if "pattern" in node else "a text"
        case "array":
            return f"a list{_length(node)}, each {_words(node.get('items', {}), schema)}"
        case "object" if "properties" in node:
            return f"a section with {', '.join(node['properties'])}" if node["properties"] else "{}"
        case kind:
            return WORDS[kind]


def _range(node: dict[str, Any]) -> str:
    low, above = node.get("minimum"), node.get("exclusiveMinimum")
    high, below = node.get("maximum"), node.get("exclusiveMaximum")
    parts = [
        f"from {low}" if low is not None else f"above {above}" if above is not None else "",
        f"to {high}" if high is not None else f"below {below}" if below is not None else "",
        f"in steps of {node['multipleOf']}" if "multipleOf" in node else "",
    ]
    return "".join(f" {part}" for part in parts if part)


def _length(node: dict[str, Any]) -> str:
    low, high = node.get("minItems"), node.get("maxItems")
    if low == high:
        return f" of {low}" if low else ""
    if high is None:
        return f" of {low} or more"
    return f" of {low or 0} to {high}"


def _paragraphs(node: dict[str, Any], place: str, schema: dict[str, Any]) -> Iterator[str]:
    """Those of a section, each followed by those of what it holds."""
    for name, field in node.get("properties", {}).items():
        path, inner = f"{place}{name}", _resolved(field, schema)
        default = field.get("default")
        told = f"; {shown(default)} if left out" if default not in (None, {}) else ""
        yield f"{path}: {_words(field, schema)}{told}"
        if sentence := field.get("description"):
            yield f"    {' '.join(sentence.split())}"
        yield from _paragraphs_below(inner, f"{path}.", schema)


def _paragraphs_below(node: dict[str, Any], place: str, schema: dict[str, Any]) -> Iterator[str]:
    named = node.get("additionalProperties")
    if isinstance(named, dict):
        yield from _paragraphs_below(_resolved(named, schema), f"{place}NAME.", schema)
    else:
        yield from _paragraphs(node, place, schema)
