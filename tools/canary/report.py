"""Tell people what was found: in the terminal, on a page, and as the text of an issue."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from nbformat import NotebookNode

from tools.canary.comparing import VIEW, Difference, Place
from tools.canary.reader import Passage

STYLE = Path(__file__).with_name("report.css")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # outputs run nothing
LONGEST = 20_000  # characters of an output in which changed words are marked


@dataclass
class Finding:
    """A difference, what it makes untrue, and the upgrade that it comes from."""

    place: Place
    difference: Difference
    passages: list[Passage]
    culprit: str = ""

    @property
    def cell(self) -> str:
        """Name the cell as people do."""
        return f"cell {self.place[1]} of {self.place[0]}"


@dataclass
class Stage:
    """What changed between two environments, and what came of it."""

    name: str  # of the newer one
    changed: Mapping[str, tuple[str, str]]
    findings: list[Finding]

    @property
    def by_culprit(self) -> dict[str, list[Finding]]:
        """Sort the findings, each culprit's together, in the order of the book."""
        ordered = sorted(self.findings, key=lambda one: (one.culprit, one.place))
        return {name: list(some) for name, some in groupby(ordered, lambda one: one.culprit)}

    @property
    def title(self) -> str:
        """Count what was found, in one line."""
        if not self.changed:
            return f"On {self.name}, no package changed."
        packages, found = counted(len(self.changed), "package"), len(self.findings)
        differences = counted(found, "difference") if found else "no difference"
        return f"On {self.name} ({packages} changed): {differences}."


def counted(number: int, noun: str) -> str:
    """Write a number with its noun."""
    return f"{number} {noun}{'s' * (number != 1)}"


def summary(stages: list[Stage]) -> str:
    """Write the report for the terminal."""
    lines = []
    for stage in stages:
        lines.append(stage.title)
        for culprit, findings in stage.by_culprit.items():
            lines += ["", f"  {culprit} changes"]
            for one in findings:
                lines.append(f"    {one.cell}: {one.difference.kind}: {one.difference.detail}")
                lines += [f"      {_because(passage)}" for passage in one.passages]
        lines.append("")
    return "\n".join(lines)


def _because(passage: Passage) -> str:
    return f"{passage.place} ({', '.join(passage.lost)}): {passage.text}"


def issue(stage: Stage, culprit: str) -> tuple[str, str]:
    """Write the title and the text of an issue about one culprit, in Markdown."""
    findings = stage.by_culprit[culprit]
    lines = [f"`make canary` ran the notebooks on {stage.name}. **{culprit}** changes:", ""]
    for one in findings:
        lines.append(f"- **{one.cell}**, {one.difference.kind}: {_code(one.difference.detail)}")
        for passage in one.passages:
            lost = ", ".join(map(_code, passage.lost))
            lines.append(f"  - {passage.place} ({lost}): {_code(passage.text)}")
    lines += ["", "The page `index.html` in the run's artifact shows old and new side by side."]
    cells = counted(len({one.cell for one in findings}), "cell")
    return f"{culprit} would change {cells}", "\n".join(lines)


def _code(text: str) -> str:
    """Quote what a library printed: Markdown in it, or a name with an @, has no effect."""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence} {' '.join(text.split())} {fence}" if text.strip() else "nothing"


def page(stages: list[Stage]) -> str:
    """Write the page: one file, no script, nothing from elsewhere."""
    body = "\n".join(_section(stage) for stage in stages)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        "<title>What would an upgrade change?</title>\n"
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>What would an upgrade change?</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _section(stage: Stage) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_text(name)}</th><td>{_text(old)}</td><td>{_text(new)}</td></tr>'
        for name, (old, new) in stage.changed.items()
    )
    table = (
        f"<details{' open' * (not stage.findings)}><summary>which packages</summary>\n"
        f"<table><tr><th>package</th><th>old</th><th>new</th></tr>{rows}</table></details>\n"
    )
    parts = [f"<section>\n<h2>{_text(stage.title)}</h2>\n", table if rows else ""]
    for culprit, findings in stage.by_culprit.items():
        parts.append(f"<h3>{_text(culprit)}</h3>\n")
        for _, same in groupby(findings, lambda one: one.cell):
            parts.append(_card(list(same)))
    return "".join([*parts, "</section>"])


def _card(findings: list[Finding]) -> str:
    """Show a cell: its code, how it differs, what that makes untrue, and both outputs."""
    first = findings[0].difference
    kinds = "".join(
        f'<li><b class="kind">{_text(one.difference.kind)}</b> {_text(one.difference.detail)}</li>'
        for one in findings
    )
    untrue = dict.fromkeys(passage for one in findings for passage in one.passages)
    notes = "".join(
        f"<li><b>{_text(p.place)}</b>: {_text(p.text)} "
        f"<small>({_text(', '.join(p.lost))})</small></li>"
        for p in untrue
    )
    reader = f"<p>The text would still say:</p>\n<ul>{notes}</ul>\n" if notes else ""
    old, new = outputs(first.old, first.new)
    return (
        f"<article>\n<h4>{_text(findings[0].cell)}</h4>\n<ul>{kinds}</ul>\n{reader}"
        f"<details><summary>code</summary><pre>{_text(first.old.source)}</pre></details>\n"
        f'<div class="sides"><div><h5>old</h5>{old}</div><div><h5>new</h5>{new}</div></div>\n'
        "</article>\n"
    )


def outputs(old: NotebookNode, new: NotebookNode) -> tuple[str, str]:
    """Give both cells' outputs as HTML, with what differs between texts marked."""
    before, after = list(_parts(old)), list(_parts(new))
    sides: tuple[list[str], list[str]] = ([], [])
    for i in range(max(len(before), len(after))):
        one, other = before[i : i + 1], after[i : i + 1]
        if one and other and one[0][0] == other[0][0] == "pre":
            marked = _marked(one[0][1], other[0][1])
            one, other = [("pre", marked[0])], [("pre", marked[1])]
        elif one or other:
            one, other = ([_escaped(part) for part in some] for some in (one, other))
        for side, some in zip(sides, (one, other), strict=True):
            side.extend(_element(*part) for part in some)
    return tuple("\n".join(side) or "<p>nothing</p>" for side in sides)


def _parts(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """Give each output as the element that shows it and its content."""
    for output in cell.outputs:
        data = output.get("data", {})
        picture = next((kind for kind in data if kind.startswith("image/")), None)
        if output.output_type == "error":
            yield "pre", f"{output.ename}: {output.evalue}"
        elif output.output_type == "stream":
            yield "pre", output.text
        elif "text/html" in data:
            yield "div", data["text/html"]
        elif picture == "image/svg+xml":
            yield "div", data[picture]
        elif picture:
            yield "img", f"data:{picture};base64,{data[picture].strip()}"
        elif VIEW in data:
            yield "pre", "(a widget)"
        else:
            yield "pre", data.get("text/plain", "")


def _escaped(part: tuple[str, str]) -> tuple[str, str]:
    return (part[0], _text(part[1])) if part[0] == "pre" else part


def _element(tag: str, content: str) -> str:
    if tag == "pre":
        return f"<pre>{content}</pre>"
    if tag == "img":
        return f'<img src="{_text(content)}" alt="what the cell draws">'
    # in a root of its own: its styles reach nothing else
    content = re.sub("</(?=template)", "&lt;/", content, flags=re.IGNORECASE)
    return f'<div class="html"><template shadowrootmode="open">{content}</template></div>'


def _marked(old: str, new: str) -> tuple[str, str]:
    """Escape two texts, and mark the words that the other one hasn't."""
    if max(len(old), len(new)) > LONGEST:
        return _text(old), _text(new)
    before, after = (re.findall(r"[\w.]+|\s+|.", text) for text in (old, new))
    sides: tuple[list[str], list[str]] = ([], [])
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for how, a, b, c, d in matcher.get_opcodes():
        for side, words in zip(sides, (before[a:b], after[c:d]), strict=True):
            text = _text("".join(words))
            side.append(text if how == "equal" or not text else f"<mark>{text}</mark>")
    return "".join(sides[0]), "".join(sides[1])


def _text(text: str) -> str:
    return html.escape(text)
