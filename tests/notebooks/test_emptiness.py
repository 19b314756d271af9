"""What is said of a notebook that runs with another corpus and shows nothing."""

import warnings

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from emptiness import by_cell, complaints
from nbformat.v4 import new_code_cell, new_output
from notebook_server import describe

THREE = "  3 certainty\n  1 number\n  45 equivalent\n"


def cell(text):
    return new_code_cell("show()", outputs=[new_output("stream", name="stdout", text=text)])


def mean_of_nothing():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = np.array([]).mean()
    return f"{value}\n", "".join(
        warnings.formatwarning(w.message, w.category, "f", 1) for w in caught
    )


def figure(values):
    fig, axes = plt.subplots(1, 2)
    axes[0].plot([1, 2], [3, 4])
    axes[1].plot(values, values)
    plt.close(fig)
    return describe(fig)


@pytest.mark.parametrize(
    ("expected", "printed", "errors", "words"),
    [
        ("0.75\n", *mean_of_nothing(), "RuntimeWarning: Mean of empty slice"),
        ("0.75\n", "nan\n", "", "more often 'nan' than in the book"),
        ("by hand: [nan, 0.0]\n", "by hand: [nan, nan]\n", "", "more often 'nan'"),
        ("wrong: [3, 4]\n", "wrong: []\n", "", "more often '[]'"),
        ("   a\n0  1\n", "Empty DataFrame\nColumns: [a]\n", "", "more often 'empty dataframe'"),
        (THREE, "", "", "0 lines where the book has 3"),
        (THREE, "  45 nothing\n", "", "1 lines where the book has 3"),
        ("<Figure size 640x480 with 2 Axes>", figure([]), "", "more often 'blank'"),
    ],
)
def test_a_cell_that_shows_nothing_is_found(expected, printed, errors, words):
    assert words in "\n".join(complaints(cell(expected), printed, errors))


@pytest.mark.parametrize(
    ("expected", "printed", "errors"),
    [
        ("0.75\n", "0.31\n", ""),
        ("by hand: [nan, 0.0]\n", "by hand: [nan, 0.1]\n", ""),
        ("", "source: the Hub\n", "[transformers] LOAD REPORT\n"),
        (THREE, "  2 number\n  9 finance\n", ""),
        ("<Figure size 640x480 with 2 Axes>", figure([1, 2]), ""),
    ],
)
def test_other_results_are_no_complaint(expected, printed, errors):
    assert not complaints(cell(expected), printed, errors)


def test_what_was_printed_is_split_by_cell():
    assert by_cell("\x1e1\n\x1e4\nfour\nlines\n\x1e12\n12\n") == {
        1: "",
        4: "four\nlines\n",
        12: "12\n",
    }
    with pytest.raises(AssertionError, match="before any cell"):
        by_cell("before any cell\n\x1e1\n")


def test_an_error_that_the_book_stores_counts_as_its_output():
    error = new_output("error", ename="E", evalue="", traceback=["[]", "E"])
    failing = new_code_cell("fail()", outputs=[error])
    assert not complaints(nbformat.from_dict(failing), "[]\nE\n", "")
