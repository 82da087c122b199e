"""Tables and texts as notebooks and pages show them: what the data say is text, never markup."""

import re
from typing import Any

import pandas as pd
from IPython.display import Markdown

# All that Markdown, HTML or TeX may read otherwise. Each becomes a character reference, which all
# of them show as the character itself; an underscore within a word stays, as it is none's.
MARKUP = re.compile(r"[&<>\\`*\[\]!$|~^#{}@\"]|:(?=//)|(?<!\w)_|_(?!\w)")


def plain(text: Any) -> str:
    """Give a text as Markdown that shows it as it is, on one line."""
    return MARKUP.sub(lambda sign: f"&#{ord(sign[0])};", " ".join(str(text).split()))


def markdown(table: pd.DataFrame | pd.Series, **options: Any) -> Markdown:
    """Show a table in a notebook: every name and text in it is that text, whatever it says.

    ``options`` are those of `pandas.DataFrame.to_markdown`.
    """
    frame = table.to_frame() if isinstance(table, pd.Series) else table
    columns = {_plain(name): _texts(frame.iloc[:, n]) for n, name in enumerate(frame.columns)}
    texts = pd.DataFrame(columns)
    rows = [_plain(label) for label in frame.index]
    texts.index = pd.Index(rows, name=_plain(frame.index.name), tupleize_cols=False)
    return Markdown(texts.to_markdown(**options))


def _texts(column: pd.Series) -> pd.Series:
    has_texts = any(isinstance(value, str) for value in column)
    return column.map(_plain) if has_texts else column


def _plain(value: Any) -> Any:
    """A text, or labels of several levels, as such; all else as it is."""
    return plain(value) if isinstance(value, str | tuple) else value
