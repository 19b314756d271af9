"""Which of some sentences is nearest to another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy.typing as npt


def nearest(
    encode: Callable[[list[str]], npt.ArrayLike], text: str, sentences: Sequence[str]
) -> list[tuple[str, float]]:
    """Order sentences by their cosine similarity to a text.

    Parameters
    ----------
    encode : callable
        From a list of n texts to their vectors, ``(n, dim)``.
    text : str
        What to compare the sentences with.
    sentences : sequence of str
        The sentences.

    Returns
    -------
    list of (str, float)
        Each sentence with its similarity, between -1 and 1, the nearest first. Equally near ones
        keep their order.

    Raises
    ------
    ValueError
        If ``text`` holds nothing but white space, or there are no sentences.
    """
    import numpy as np

    if not text.strip():
        raise ValueError("text must hold at least one word; got an empty text. Type a sentence.")
    if not sentences:
        raise ValueError("expected at least one sentence to compare with; got none.")
    vectors = np.asarray(encode([text, *sentences]), dtype=float)  # (1 + n, dim)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)  # now of length 1
    similarities = vectors[1:] @ vectors[0]  # (n,)
    order = np.argsort(-similarities, kind="stable")
    return [(sentences[i], float(similarities[i])) for i in order]
