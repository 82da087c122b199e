"""The kind of error that is about what was given, and is no bug."""


class InputError(Exception):
    """What was given cannot be used; the message names it and says what to do about it.

    A command tells such an error in one line and exits with 2. Any other error is a bug, and shows
    its traceback.
    """


class ArgumentError(InputError, ValueError):
    """An argument is out of its range or of another shape or type; the message says which fit."""
