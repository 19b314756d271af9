"""Matrices as cells whose color shows their number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from helpers.display.inputs import to_array, to_names
from helpers.display.plots import plot
from helpers.words import words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@plot
def similarity_heatmap(matrix: npt.ArrayLike, labels: Sequence[str]) -> Figure:
    """Draw how similar each of some texts is to each other one.

    Parameters
    ----------
    matrix : array_like
        The similarities, ``(n, n)``, each at most 1. The cells show them with two digits.
    labels : sequence of str
        The ``n`` texts. They are numbered; the columns carry the numbers only.

    Returns
    -------
    matplotlib.figure.Figure
        A square of cells, dark for dissimilar and light for similar, on a white ground.

    Raises
    ------
    ValueError
        If the matrix doesn't have a row and a column for each label, or a number above 1.
    """
    import matplotlib.pyplot as plt

    texts = to_names(labels, "labels")
    similarities = to_array(matrix, "similarities")
    n = len(texts)
    if similarities.shape != (n, n) or not n:
        raise ValueError(
            f"Expected a row and a column for each of the {n} labels, ({n}, {n}), and at least "
            f"one; got {similarities.shape}. Compare the same texts with themselves, in the order "
            "of the labels."
        )
    if not (similarities <= 1.01).all():  # NaN isn't; rounding may lead a little beyond 1
        raise ValueError(
            f"Expected similarities of at most 1; got {similarities.tolist()}. Divide the vectors "
            "by their lengths first."
        )
    # cividis runs evenly from dark to light, and looks the same to the color-blind
    lowest = similarities.min(initial=0.0)
    light = (similarities - lowest) / (1 - lowest) > 0.47
    # + 0.0 turns -0.00 into 0.00
    cells = [f"{round(value, 2) + 0.0:.2f}" for value in similarities.ravel().tolist()]
    figure, axes = plt.subplots(figsize=(2.6 + 0.6 * n, 1.0 + 0.5 * n), facecolor="white")
    axes.imshow(similarities, cmap="cividis", vmin=lowest, vmax=1.0, aspect="auto")
    _write(axes, cells, light)
    axes.set_xticks(range(n), [f"{i}" for i in range(1, n + 1)])
    axes.set_yticks(range(n), [f"{text}  {i}" for i, text in enumerate(texts, start=1)])
    axes.set_title(words("Cosine similarity"))
    figure.tight_layout()
    return figure


@plot
def confusion_heatmap(
    references: Sequence[int], predictions: Sequence[int], labels: Sequence[str]
) -> Figure:
    """Draw how often each class was taken for each.

    Parameters
    ----------
    references : sequence of int
        The true classes, ``(rows,)``.
    predictions : sequence of int
        The predicted classes, ``(rows,)``.
    labels : sequence of str
        The name of each class.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each true class: the counts, and their shares of the row, dark for a large one.

    Raises
    ------
    ValueError
        If there isn't a prediction for each true class, or a number is no class.
    """
    import matplotlib.pyplot as plt
    import numpy as np

    names = to_names(labels, "labels")
    n = len(names)
    true, predicted = to_array(references, "references"), to_array(predictions, "predictions")
    if true.shape != predicted.shape or true.ndim != 1 or not len(true):
        raise ValueError(
            f"Expected a prediction for each true class, (rows,) both; got {predicted.shape} for "
            f"{true.shape}. Take the argmax of the logits over their last axis first."
        )
    classes = np.stack([true, predicted])
    if not np.isin(classes, range(n)).all():
        raise ValueError(
            f"Expected classes from 0 to {n - 1}, for the {n} labels; got {classes.min():g} to "
            f"{classes.max():g}. Pass a label for each class."
        )
    counts = np.zeros((n, n), dtype=int)
    np.add.at(counts, tuple(classes.astype(int)), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cells = [f"{counts[cell]:,}\n{shares[cell]:.0%}" for cell in np.ndindex(n, n)]
    figure, axes = plt.subplots(figsize=(2.4 + 1.3 * n, 1.2 + 0.9 * n), facecolor="white")
    axes.imshow(shares, cmap="cividis_r", vmin=0.0, vmax=1.0, aspect="auto")
    _write(axes, cells, shares <= 0.53)
    axes.set_xticks(range(n), names)
    axes.set_yticks(range(n), names)
    axes.set(xlabel=words("predicted"), ylabel=words("true"))
    figure.tight_layout()
    return figure


def _write(axes: Axes, texts: Sequence[str], light: npt.NDArray[np.bool_]) -> None:
    """Write a text into each cell, row by row, in black where the cell is light."""
    import numpy as np

    for (row, column), text in zip(np.ndindex(light.shape), texts, strict=True):
        color = "black" if light[row, column] else "white"
        axes.text(column, row, text, ha="center", va="center", color=color)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
