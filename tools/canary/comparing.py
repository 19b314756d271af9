"""Compare two runs of a notebook, cell by cell, and name each difference by its kind.

Noise is what a reader needn't care about. It is defined here and nowhere else: a version that is
the package's own in both environments, seconds, addresses, the places of files, line numbers, and
the fields in which a widget names its protocol. A number within the `tolerance` in its cell's
metadata is no difference either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup
from nbformat import NotebookNode

from tools import pictures
from tools.canary.environments import Environment
from tools.canary.running import code_cells

SLOWER, AT_LEAST = 1.5, 1.0  # a time counts from this ratio on, if it is that many seconds more
SHOWN = 120  # characters of a line that differs
VIEW = "application/vnd.jupyter.widget-view+json"
NUMBER = re.compile(
    r"(?<![\w.])[-+]?\d+(?:,\d{3}(?!\d))*(?:\.\d+)*(?:e[-+]?\d+)?(?:\.?(?:a|b|rc|dev|post)\d+)*(?:\+\w+)?"
)
NOISE = {
    r"0x[0-9a-f]{8,}": "ADDRESS",
    r"\d[\d.]* ?(?:it/s|s/it|ns|µs|ms|s|sec|seconds?|minutes?|min|hours)\b": "SECONDS",
    r"\b\d+:\d\d(?::\d\d)?(?=[<,])": "SECONDS",  # in a progress bar
    r"(?<=\.py):\d+": ":LINE",
    r"\S*ipykernel_\d+\S* ?": "",  # the file that a warning says a cell is
}
PROTOCOL = re.compile(r"_(?:model|view)_module_version")


class Noise(NamedTuple):
    """The two environments that a difference may come from."""

    old: Environment
    new: Environment

    def clean(self, text: str) -> str:
        """Replace what differs from run to run."""
        for environment in self:
            text = text.replace(str(environment.folder), "ENVIRONMENT")
        for pattern, word in NOISE.items():
            text = re.sub(pattern, word, text)
        return text

    def is_version(self, old: str, new: str) -> bool:
        """Tell whether both are the version of one package, each in its environment."""
        pairs = ((self.old.versions.get(n), v) for n, v in self.new.versions.items())
        return any((old, new) == (_base(a), _base(b)) or (old, new) == (a, b) for a, b in pairs)


def _base(version: str | None) -> str:
    return (version or "").split("+")[0]


class Difference(NamedTuple):
    """What differs in a cell, and that cell in both runs."""

    kind: str
    detail: str
    old: NotebookNode
    new: NotebookNode


Place = tuple[str, int, str]  # notebook, cell and kind: tells one difference from another


def compare(
    name: str, old: NotebookNode, new: NotebookNode, noise: Noise
) -> dict[Place, Difference]:
    """Find the differences between two runs of one notebook.

    Parameters
    ----------
    name : str
        The notebook's name.
    old, new : NotebookNode
        The executed notebooks.
    noise : Noise
        What doesn't count.

    Returns
    -------
    dict
        Each `Difference` by its `Place`.
    """
    found = {}
    pairs = zip(code_cells(old), code_cells(new), strict=True)
    for number, (before, after) in enumerate(pairs, start=1):
        shown = shows(before, old), shows(after, new)
        for kind, detail in differences(before, after, *shown, noise):
            found[name, number, kind] = Difference(kind, detail, before, after)
    return found


def differences(
    old: NotebookNode, new: NotebookNode, before: Mapping, after: Mapping, noise: Noise
) -> Iterator[tuple[str, str]]:
    """Give the kind and the detail of each difference between two runs of a cell."""
    if unlike(before["error"], after["error"], noise):
        yield "error", after["error"] or f"no more {before['error']}"
        return  # what it doesn't show any more comes of that
    if unlike(before["warning"], after["warning"], noise):
        yield "warning", _first_change(before["warning"], after["warning"], noise)
    gone = [part for part in ("text", "picture", "widget") if before[part] and not after[part]]
    if gone:
        yield "missing", f"no {' and no '.join(gone)} any more"
    if "text" not in gone:
        kind = unlike(before["text"], after["text"], noise, old.metadata.get("tolerance", 0))
        if kind:
            yield kind, _first_change(before["text"], after["text"], noise)
    if "picture" not in gone and (how := unlike_pictures(old, new, before, after, noise)):
        yield "picture", how
    if "widget" not in gone and unlike(before["widget"], after["widget"], noise):
        yield "widget", _first_change(before["widget"], after["widget"], noise)
    was, now = seconds(old), seconds(new)
    if now > SLOWER * was and now - was > AT_LEAST:
        yield "time", f"{was:.1f} s → {now:.1f} s"


def unlike(old: str, new: str, noise: Noise, tolerance: float = 0) -> str:
    """Say in what two texts differ: ``"text"``, ``"number"``, or an empty string if they don't."""
    old, new = noise.clean(old), noise.clean(new)
    if NUMBER.sub("0", old) != NUMBER.sub("0", new):
        return "text"
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    same = (a == b or noise.is_version(a, b) or _near(a, b, tolerance) for a, b in pairs)
    return "" if all(same) else "number"


def _near(old: str, new: str, tolerance: float) -> bool:
    try:  # decimals, as nbval compares them: 0.89 - 0.86 is more than 0.03 in floats
        apart = abs(Decimal(old.replace(",", "")) - Decimal(new.replace(",", "")))
    except InvalidOperation:  # a version, such as 1.2.3
        return False
    return apart <= Decimal(str(tolerance))


def _first_change(old: str, new: str, noise: Noise) -> str:
    """Show the first line that differs, as it was and as it is."""
    for before, after in zip_longest(old.splitlines(), new.splitlines(), fillvalue=""):
        if unlike(before, after, noise):
            lines = [noise.clean(line).strip() for line in (before, after)]
            same = takewhile(lambda pair: pair[0] == pair[1], zip(*lines, strict=False))
            start = max(0, len(list(same)) - SHOWN // 2)
            before, after = (_part(line, start) or "nothing" for line in lines)
            return f"{before} → {after}"
    return ""


def _part(line: str, start: int) -> str:
    part = line[start : start + SHOWN]
    return f"{'…' * (start > 0)}{part}{'…' * (start + SHOWN < len(line))}"


def shows(cell: NotebookNode, notebook: NotebookNode) -> dict[str, str]:
    """Sort what a cell shows: error, warning, text, picture (as markup) and widget."""
    shown = dict.fromkeys(("error", "warning", "text", "picture", "widget"), "")
    for output in cell.outputs:
        data = output.get("data", {})
        if output.output_type == "error":
            shown["error"] += f"{output.ename}: {output.evalue}"
        elif output.output_type == "stream":
            shown["warning" if output.name == "stderr" else "text"] += output.text
        elif VIEW in data:
            shown["widget"] += widget(data[VIEW]["model_id"], notebook)
            shown["widget"] += "\n" + data.get("text/html", "")
        elif "text/html" in data:
            html = BeautifulSoup(data["text/html"], "html.parser")
            for hidden in html(["style", "script"]):
                hidden.decompose()
            shown["text"] += html.get_text("\n", strip=True) + "\n"
            shown["picture"] += data["text/html"]
        elif pictures := [data[kind] for kind in data if kind.startswith("image/")]:
            shown["picture"] += "".join(pictures)
        else:
            shown["text"] += data.get("text/plain", "") + "\n"
    return shown


def widget(model_id: str, notebook: NotebookNode) -> str:
    """Spell out a widget's state and that of its parts, without their random ids."""
    ((_, saved),) = notebook.metadata.get("widgets", {"": {"state": {}}}).items()
    states, order = saved["state"], [model_id]
    for one in order:  # grows while it is read: a part may have parts
        parts = re.findall(r"IPY_MODEL_(\w+)", json.dumps(states.get(one, {})))
        order += [part for part in dict.fromkeys(parts) if part not in order]
    text = json.dumps([states.get(one, {}) for one in order], indent=1, sort_keys=True)
    for number, one in enumerate(order):
        text = text.replace(one, f"part {number}")
    return "\n".join(line for line in text.splitlines() if not PROTOCOL.search(line))


def unlike_pictures(
    old: NotebookNode, new: NotebookNode, before: Mapping, after: Mapping, noise: Noise
) -> str:
    """Say how pictures differ, in pixels as nbval is told to compare them, or in their markup."""
    tags = old.metadata.get("tags", [])
    allowed = pictures.TRAINED_TOLERANCE if pictures.TRAINED in tags else pictures.TOLERANCE
    drawn = pictures.pictures(new.outputs), pictures.pictures(old.outputs)
    if how := pictures.difference(*drawn, pictures.MEASURED in tags, allowed):
        return how
    if any(drawn):
        return ""
    same_words = not unlike(before["text"], after["text"], noise)
    changed = same_words and unlike(before["picture"], after["picture"], noise)
    return "the words are the same, and the markup differs" if changed else ""


def seconds(cell: NotebookNode) -> float:
    """Give how long a cell ran."""
    times = cell.metadata.get("execution", {})
    ends = (times.get("iopub.execute_input"), times.get("shell.execute_reply"))
    if not all(ends):
        return 0.0
    start, stop = (datetime.fromisoformat(end) for end in ends)
    return (stop - start).total_seconds()


def notebook_name(source: Path) -> str:
    """Give a notebook's number, such as 2-3, or its name if it has none."""
    number = re.match(r"\d+-\d+(?=-)", source.stem)
    return number[0] if number else source.stem
