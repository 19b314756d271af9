"""The plots: what they show is what went in, and it can be read."""

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_rgb

from helpers.plots import similarity_heatmap


def contrast(one, other):
    """Give the contrast of two colours, from 1 to 21, as WCAG defines it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    """Give how light an sRGB colour is, from 0 to 1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_similarity_heatmap_holds_the_numbers_in_readable_colours():
    matrix = [[1.0, -0.001, 0.62], [-0.001, 1.0, 0.2], [0.62, 0.2, 1.0]]
    figure = similarity_heatmap(matrix, ["one", "two", "three"])
    (axes,) = figure.axes

    assert [text.get_text() for text in axes.texts] == [
        *("1.00", "0.00", "0.62"),
        *("0.00", "1.00", "0.20"),
        *("0.62", "0.20", "1.00"),
    ]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["one  1", "two  2", "three  3"]
    image = axes.images[0]
    for text in axes.texts:
        column, row = text.get_position()
        cell = image.cmap(image.norm(matrix[row][column]))
        assert contrast(cell[:3], to_rgb(text.get_color())) >= 4.5  # WCAG 2.2, level AA


@pytest.mark.parametrize("value", [i / 100 for i in range(-30, 101)])
def test_every_similarity_can_be_read(value):
    for lowest in (0, -0.3, -1):
        axes = similarity_heatmap([[value, lowest], [lowest, value]], ["one", "two"]).axes[0]
        image = axes.images[0]
        cell = image.cmap(image.norm(value))
        assert contrast(cell[:3], to_rgb(axes.texts[0].get_color())) >= 4.5


def test_a_similarity_heatmap_is_not_shown_twice():
    before = plt.get_fignums()
    similarity_heatmap([[1.0]], ["one"])
    assert plt.get_fignums() == before


@pytest.mark.parametrize("matrix", [[[1.0, 0.5]], [[1.0, 0.5, 0.1]] * 2, [1.0, 0.5]])
def test_a_similarity_for_each_pair_is_asked_for(matrix):
    with pytest.raises(ValueError, match=r"each of the 2 labels, \(2, 2\); got"):
        similarity_heatmap(matrix, ["one", "two"])
