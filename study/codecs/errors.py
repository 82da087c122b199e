"""What keeps a codec from working."""

from msroi.errors import InputError


class CodecError(InputError, RuntimeError):
    """A codec that is not installed; the message says how to get it."""
