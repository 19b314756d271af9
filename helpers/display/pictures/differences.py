"""What was changed in a piece of code."""

from __future__ import annotations

from difflib import SequenceMatcher

from helpers.words import words

from .html import Picture, frame, legend, make

PRE = "margin: 0; padding: 0; border: 0; background: none; color: inherit; width: max-content"


def diff_picture(before: str, after: str) -> Picture:
    """Draw which lines of a piece of code were removed, added, and left as they were.

    Parameters
    ----------
    before : str
        The code as it was.
    after : str
        The code as it is.

    Returns
    -------
    Picture
        Both in one: a minus marks a line that was removed, a plus one that was added.

    Raises
    ------
    TypeError
        If one of them isn't a string.
    """
    for code in (before, after):
        if not isinstance(code, str):
            raise TypeError(
                f"Expected code as a string; got {type(code).__name__}. Read a file with "
                "Path(...).read_text()."
            )
    old, new = before.splitlines(), after.splitlines()
    lines: list[tuple[str, str | None, str]] = []
    for kind, i, i_end, j, j_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            lines += [("span", None, f"  {line}") for line in old[i:i_end]]
        else:
            lines += [("del", "unknown", f"- {line}") for line in old[i:i_end]]
            lines += [("ins", "special", f"+ {line}") for line in new[j:j_end]]
    # the line break is inside its element: it counts only where there is no style
    style = "display: block; text-decoration: none"
    shown = [make(tag, f"{line}\n", class_=mark, style=style) for tag, mark, line in lines]
    return frame(
        make("div", make("pre", *shown, style=PRE), class_="scroll", tabindex="0"),
        legend([("unknown", words("- taken out")), ("special", words("+ put in"))]),
    )
