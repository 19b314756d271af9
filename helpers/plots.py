"""Pictures drawn with matplotlib. Each function returns the Figure, on a white ground."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.figure import Figure


def similarity_heatmap(matrix: npt.ArrayLike, labels: Sequence[str]) -> Figure:
    """Draw how similar each of some texts is to each other one.

    Parameters
    ----------
    matrix : array_like
        The similarities, ``(n, n)``, each at most 1. They stand in the cells with two digits.
    labels : sequence of str
        The ``n`` texts. They are numbered; the columns carry the numbers only.

    Returns
    -------
    matplotlib.figure.Figure
        A square of cells, dark for dissimilar and light for similar, on a white ground.

    Raises
    ------
    ValueError
        If the matrix is not square, or has not one row for each label.
    """
    import matplotlib.pyplot as plt
    import numpy as np

    matrix = np.asarray(matrix, dtype=float)
    n = len(labels)
    if matrix.shape != (n, n):
        raise ValueError(
            f"expected a row and a column for each of the {n} labels, ({n}, {n}); got "
            f"{matrix.shape}. Compare the same texts with themselves, in the order of the labels."
        )
    figure, axes = plt.subplots(figsize=(2.6 + 0.6 * n, 1.0 + 0.5 * n), facecolor="white")
    # cividis runs evenly from dark to light, and looks the same to the colour-blind
    lowest = matrix.min(initial=0.0)
    image = axes.imshow(matrix, cmap="cividis", vmin=lowest, vmax=1.0, aspect="auto")
    for row, column in np.ndindex(n, n):
        value = matrix[row, column]
        axes.text(
            column,
            row,
            f"{round(value, 2) + 0.0:.2f}",  # + 0.0 makes 0.00 of -0.00
            ha="center",
            va="center",
            color="black" if image.norm(value) > 0.47 else "white",
        )
    numbers = range(1, n + 1)
    axes.set_xticks(range(n), [str(i) for i in numbers])
    axes.set_yticks(range(n), [f"{label}  {i}" for i, label in zip(numbers, labels, strict=True)])
    axes.set_title("Cosine similarity")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.tight_layout()
    plt.close(figure)  # else a notebook would show it twice
    return figure
