"""msroi: semantic JPEG encoding, and the study of Prakash et al. (2017) behind it."""

from importlib import import_module

_HOMES = {
    "BudgetError": "msroi.encoder",
    "encode": "msroi.encoder",
    "load_model": "msroi.network",
    "saliency_map": "msroi.saliency",
}

__all__ = ["BudgetError", "encode", "load_model", "metrics", "saliency_map"]


def __getattr__(name: str):
    """Load on first use, so that ``import msroi`` waits for neither ONNX Runtime nor SciPy."""
    if name == "metrics":
        return import_module("msroi.metrics")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'msroi' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
