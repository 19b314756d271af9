"""What `check`, `hint` and `solution` return: a few words, which the notebook shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A few words about an exercise.

    Parameters
    ----------
    state : str
        "open" (not answered yet), "right", "wrong", "hint", "solution", or "stuck" (the check
        can't run).
    words : str
        What the notebook shows, in Markdown.
    number : int, optional
        Of a wrong answer, the number of the condition that it doesn't fulfill, from 1; 0 if the
        answer raised an error or took too long.
    """

    state: str
    words: str
    number: int | None = None

    def __repr__(self) -> str:
        return self.words

    def _repr_markdown_(self) -> str:
        return self.words
