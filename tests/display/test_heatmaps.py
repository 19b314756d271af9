"""The heatmaps: they hold the numbers, and each can be read on its color."""

import matplotlib.pyplot as plt
import pytest
from contrast import contrast
from matplotlib.colors import to_rgb

from helpers.display.heatmaps import confusion_heatmap, similarity_heatmap


def test_a_similarity_heatmap_holds_the_numbers_in_readable_colors():
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


@pytest.mark.parametrize("lowest", [0, -0.3, -1])
def test_every_similarity_can_be_read(lowest):
    values = [lowest, *(max(lowest, i / 100) for i in range(-30, 101))]
    matrix = [(values * 2)[row * 12 : row * 12 + 12] for row in range(12)]
    (axes,) = similarity_heatmap(matrix, [str(i) for i in range(12)]).axes
    image = axes.images[0]
    assert len(axes.texts) == 144
    for text in axes.texts:
        column, row = text.get_position()
        cell = image.cmap(image.norm(matrix[row][column]))
        assert contrast(cell[:3], to_rgb(text.get_color())) >= 4.5


def test_a_similarity_heatmap_is_not_shown_twice():
    before = plt.get_fignums()
    similarity_heatmap([[1.0]], ["one"])
    assert plt.get_fignums() == before


@pytest.mark.parametrize("matrix", [[[1.0, 0.5]], [[1.0, 0.5, 0.1]] * 2, [1.0, 0.5]])
def test_a_similarity_for_each_pair_is_asked_for(matrix):
    with pytest.raises(ValueError, match=r"each of the 2 labels, \(2, 2\), and at least one; got"):
        similarity_heatmap(matrix, ["one", "two"])


def test_a_confusion_heatmap_counts_true_against_predicted():
    figure = confusion_heatmap([0, 0, 0, 0, 1, 1], [0, 1, 1, 1, 1, 1], ["no", "yes"])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["1\n25%", "3\n75%", "0\n0%", "2\n100%"]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true", "predicted")
    assert [text.get_text() for text in axes.get_yticklabels()] == ["no", "yes"]


def test_every_share_of_a_confusion_can_be_read():
    shares = range(0, 50, 4)  # and what is missing to 100
    references = [row for row in range(13) for _ in range(100)]
    predictions = [int(i >= share) for share in shares for i in range(100)]
    (axes,) = confusion_heatmap(references, predictions, [str(i) for i in range(13)]).axes
    image = axes.images[0]
    assert len(axes.texts) == 169
    for text in axes.texts:
        column, row = text.get_position()
        cell = image.cmap(image.norm(image.get_array()[row][column]))
        assert contrast(cell[:3], to_rgb(text.get_color())) >= 4.5


@pytest.mark.parametrize(
    ("references", "predictions", "match"),
    [
        ([0, 1], [[0.1, 0.9], [0.8, 0.2]], r"\(2, 2\) for \(2,\)\. Take the argmax"),
        ([0, 1], [0], "prediction for each true class"),
        ([], [], "prediction for each true class"),
        ([0, 2], [0, 1], "classes from 0 to 1, for the 2 labels; got 0 to 2"),
        ([0, -1], [0, 1], "got -1 to 1"),
    ],
)
def test_a_confusion_needs_classes_on_both_sides(references, predictions, match):
    with pytest.raises(ValueError, match=match):
        confusion_heatmap(references, predictions, ["no", "yes"])
