"""The plots: what they show is what went in, and it can be read."""

import io

import matplotlib.pyplot as plt
import pytest
from contrast import contrast
from matplotlib.colors import to_rgb
from processes import run

from helpers.display.plots import (
    LINES,
    PADDING,
    TOKENS,
    interval_plot,
    measured_bars,
    measured_lines,
    padding_plot,
)


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


def test_the_colors_of_lines_can_be_read():
    assert all(contrast(to_rgb("white"), to_rgb(color)) >= 4.5 for color in LINES)


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


def test_an_interval_plot_draws_each_score_between_its_ends_from_top_to_bottom():
    figure = interval_plot({"a": (0.05, 0.02, 0.08), "b": (0.01, -0.03, 0.05)}, label="gain")
    (axes,) = figure.axes
    line_a, dot_a, line_b, dot_b, mark = axes.lines
    assert [list(line.get_xdata()) for line in (line_a, line_b)] == [[0.02, 0.08], [-0.03, 0.05]]
    assert [dot.get_xydata()[0].tolist() for dot in (dot_a, dot_b)] == [[0.05, 0], [0.01, 1]]
    assert list(mark.get_xdata()) == [0, 0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]
    assert axes.yaxis_inverted()


@pytest.mark.parametrize(
    "intervals", [{}, {"a": (0.5, 0.6, 0.7)}, {"a": (0.5, 0.4)}, {"a": (0.5, float("nan"), 1)}]
)
def test_an_interval_needs_its_score_between_its_ends(intervals):
    with pytest.raises(ValueError, match=r"Expected|nan"):
        interval_plot(intervals, label="gain")


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


IN_A_NOTEBOOK = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
from helpers.display import similarity_heatmap
figure = similarity_heatmap([[1.0]], ["one"])
print(sorted(shell.display_formatter.format(figure)[0]))
"""


@pytest.mark.parametrize(
    "settings", [{"MPLBACKEND": "svg"}, {"MPLCONFIGDIR": "/dev/null/nobody"}, {}]
)
def test_a_notebook_shows_a_plot_whatever_the_machines_settings(settings):
    """Another backend shows no Figure. matplotlib warns where it can't write its settings."""
    status, out, err = run(IN_A_NOTEBOOK, **settings)
    assert (status, err) == (0, "")
    assert out == "['image/png', 'text/plain']\n"
