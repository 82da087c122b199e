"""The table of deviations, which README.md holds and the article shows."""

from msroi.errors import InputError

HEADING = "## Deviations from the paper"


class NoDeviationsError(InputError, ValueError):
    """A README without its table of deviations."""


def deviations(readme: str) -> list[list[str]]:
    """Rows of the Markdown table below README's heading `HEADING`, its head first.

    Returns
    -------
    list of rows of stripped cells, in Markdown; the line of dashes is left out.

    Raises
    ------
    NoDeviationsError
        There is no such heading, or no row below it.
    """
    _, _, after = readme.partition(f"\n{HEADING}\n")
    section = after.partition("\n## ")[0]
    lines = [line.strip().strip("|") for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    head, *body = [row for row in rows if any(cell.strip("-") for cell in row)] or [[]]
    if not body:
        raise NoDeviationsError(f"README.md has no table of deviations: give it {HEADING!r}")
    return [head, *body]
