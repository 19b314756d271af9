"""Compare what a cell prints elsewhere with what the book stores, and say what has gone empty.

With ``COURSE_SOURCE=hub`` a reader gets another corpus. A cell that selects rows by something that
only the book's own corpus has still runs there: it prints nothing, or the mean of nothing.
"""

import re

from nbformat import NotebookNode

# what Python, NumPy and pandas print for nothing
EMPTY = re.compile(r"\bnan\b|\[\]|\{\}|\(\)|\bEmpty DataFrame\b|\bBLANK\b", re.IGNORECASE)
WARNING = re.compile(r"^.*\b\w*Warning: .*$", re.MULTILINE)


def by_cell(printed: str) -> dict[int, str]:
    """Split what a notebook printed at the marks that `notebook_server` leaves."""
    first, *parts = re.split(r"^\x1e(\d+)\n", printed, flags=re.MULTILINE)
    assert not first, first
    return {int(number): text for number, text in zip(parts[::2], parts[1::2], strict=True)}


def stored(cell: NotebookNode) -> str:
    """Join what the book stores of a cell's output, as text."""
    texts = [
        output.get("text") or "\n".join(output.get("traceback", ()))
        if output.output_type in ("stream", "error")
        else output.data.get("text/plain", "")
        for output in cell.outputs
    ]
    return "\n".join(texts)


def complaints(cell: NotebookNode, printed: str, errors: str) -> list[str]:
    """Say what is empty in a cell's output and isn't in the book's, and what warns of that.

    Parameters
    ----------
    cell : NotebookNode
        The code cell with the outputs that the book stores.
    printed, errors : str
        What it printed to stdout and to stderr with another corpus or another checkpoint.

    Returns
    -------
    list of str
        A line for each complaint.
    """
    expected = stored(cell)
    found = [f"a warning: {line.strip()}" for line in WARNING.findall(errors)]
    for sign in sorted({match.lower() for match in EMPTY.findall(printed)}):
        if printed.lower().count(sign) > expected.lower().count(sign):
            found.append(f"more often {sign!r} than in the book")
    lines, usual = (len(text.split("\n")) for text in (printed.strip(), expected.strip()))
    if expected.strip() and (not printed.strip() or lines < usual / 2):
        found.append(f"{lines if printed.strip() else 0} lines where the book has {usual}")
    return [f"{complaint}, in the cell:\n{cell.source}\n" for complaint in found]
