"""Similarity: order sentences by how close they are to a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers.text.checks import as_array, check_strings, check_text

if TYPE_CHECKING:
    import torch

    Vectors = torch.Tensor | np.ndarray | Sequence


def nearest(
    encode: Callable[[list[str]], Vectors], text: str, sentences: Sequence[str]
) -> list[tuple[str, float]]:
    """Order sentences by their cosine similarity to a text.

    Parameters
    ----------
    encode : callable
        From a list of n texts to their vectors, ``(n, dim)``, in a tensor, an array or lists.
    text : str
        The text to compare the sentences with.
    sentences : sequence of str
        The sentences.

    Returns
    -------
    list of (str, float)
        Each sentence with its similarity, -1 to 1, the nearest first. Ties keep their order.

    Raises
    ------
    ValueError
        If there is no text or no sentence, or ``encode`` doesn't return a vector for each.
    """
    check_text(text)
    sentences = check_strings(sentences, "sentences")
    if not sentences:
        raise ValueError("sentences must hold at least one sentence; got none. Add one.")
    vectors = as_array(encode([text, *sentences]), "vectors").astype(float)  # (1 + n, dim)
    if vectors.ndim != 2 or len(vectors) != 1 + len(sentences):
        raise ValueError(
            f"encode must return one vector for each of {1 + len(sentences)} texts; got the shape "
            f"{vectors.shape}. It takes a list of texts."
        )
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(norms) & (norms > 0)).all():
        raise ValueError(
            "encode must return vectors of finite numbers that aren't all 0; got one without a "
            "direction. Was a text empty?"
        )
    vectors /= norms  # now of length 1
    similarities = vectors[1:] @ vectors[0]  # (n,)
    order = np.argsort(-similarities, kind="stable")
    return [(sentences[i], float(similarities[i])) for i in order]
