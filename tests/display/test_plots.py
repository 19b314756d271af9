"""The plots: what they show is what went in, and it can be read."""

import io

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_rgb

from helpers.display.plots import (
    LINES,
    PADDING,
    TOKENS,
    confusion_heatmap,
    measured_bars,
    measured_lines,
    padding_plot,
    similarity_heatmap,
)


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


def test_a_padding_plot_draws_each_row_as_long_as_it_is():
    lengths = [2, 5, 3, 4, 1]
    batches = [[0, 1], [2, 3], [4]]
    figure = padding_plot(lengths, {"to 6": (batches, 6), "dynamic": (batches, None)}, shown=2)

    fixed, dynamic = ([list(row) for row in axes.images[0].get_array()] for axes in figure.axes)
    gap = [[0] * 6] * 2
    assert fixed == [
        *([1, 1, 2, 2, 2, 2], [1, 1, 1, 1, 1, 2]),
        *gap,
        *([1, 1, 1, 2, 2, 2], [1, 1, 1, 1, 2, 2]),
        *gap,
    ]
    assert dynamic == [
        *([1, 1, 2, 2, 2, 0], [1, 1, 1, 1, 1, 0]),
        *gap,
        *([1, 1, 1, 2, 0, 0], [1, 1, 1, 1, 0, 0]),
        *gap,
    ]
    # the share is over all batches: 15 of 30, and 4 of 19
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["to 6\n50% padding", "dynamic\n21% padding"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["tokens", "padding"]


def test_the_colours_of_lines_can_be_read():
    assert all(contrast(to_rgb("white"), to_rgb(colour)) >= 4.5 for colour in LINES)


def test_tokens_and_padding_can_be_told_apart():
    assert contrast(to_rgb(TOKENS), to_rgb(PADDING)) >= 3  # WCAG 2.2, level AA, for graphics


def test_measured_bars_hold_the_numbers_in_their_order():
    (axes,) = measured_bars({"fast": 0.5, "slow": 2.0}, label="seconds").axes
    assert [bar.get_width() for bar in axes.patches] == [0.5, 2.0]
    assert [text.get_text() for text in axes.texts] == ["0.50", "2.00"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["fast", "slow"]
    assert axes.get_xlabel() == "seconds"
    assert axes.get_xlim()[0] == 0
    assert axes.yaxis_inverted()  # the first one on top


@pytest.mark.parametrize("values", [{}, {"one": -1.0}])
def test_bars_refuse_what_has_no_length(values):
    with pytest.raises(ValueError, match="0 or more"):
        measured_bars(values, label="seconds")


def test_measured_lines_are_named_and_start_at_zero():
    series = {"rises": [1.0, 2.0, 4.0], "stays": [1.0, 1.0, 1.0]}
    (axes,) = measured_lines([10, 20, 40], series, x_label="rows", label="MB").axes
    assert [[*line.get_ydata()] for line in axes.lines] == [*series.values()]
    assert [[*line.get_xdata()] for line in axes.lines] == [[10, 20, 40]] * 2
    assert [text.get_text() for text in axes.texts] == ["rises", "stays"]
    assert (axes.get_xlim()[0], axes.get_ylim()[0]) == (0, 0)
    assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == 2
    assert all(contrast(to_rgb("white"), to_rgb(one.get_color())) >= 4.5 for one in axes.lines)


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0, 3.0]])
def test_a_line_needs_a_number_for_each_place(values):
    with pytest.raises(ValueError, match="Expected 2 numbers for 'one'"):
        measured_lines([1, 2], {"one": values}, x_label="", label="")


def test_more_lines_than_can_be_told_apart_are_refused():
    series = {str(i): [1.0] for i in range(4)}
    with pytest.raises(ValueError, match="one to 3 series; got 4"):
        measured_lines([1], series, x_label="", label="")


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


def test_a_plot_looks_the_same_whatever_style_the_reader_has_set():
    def drawn():
        png = io.BytesIO()
        measured_bars({"one": 1.0}, label="seconds").savefig(png)
        return png.getvalue()

    plain = drawn()
    with plt.style.context("dark_background"):
        figure = measured_bars({"one": 1.0}, label="seconds")
    assert to_rgb(figure.axes[0].xaxis.label.get_color()) == (0, 0, 0)
    assert drawn() == plain
