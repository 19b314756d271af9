"""The interval of a score."""

import numpy as np
import pytest

from helpers.training import bootstrap_interval


def test_the_interval_of_an_accuracy_is_what_the_normal_approximation_gives():
    right = np.arange(600) < 528  # 0.88
    low, high = bootstrap_interval(right)
    half = 1.96 * np.sqrt(0.88 * 0.12 / 600)
    assert low == pytest.approx(0.88 - half, abs=0.004)
    assert high == pytest.approx(0.88 + half, abs=0.004)


def test_the_interval_of_a_paired_difference_counts_the_rows_that_differ():
    """Two models that agree on nearly every row have a narrow one."""
    ours, theirs = np.ones(600, dtype=int), np.ones(600, dtype=int)
    theirs[:12] = 0
    low, high = bootstrap_interval(ours - theirs)
    assert 0 < low < 0.02 < high < 0.04
    assert bootstrap_interval(ours - ours) == (0, 0)


def test_the_same_seed_gives_the_same_interval_and_a_wider_share_a_wider_one():
    right = np.arange(100) < 80
    assert bootstrap_interval(right, seed=1) == bootstrap_interval(right, seed=1)
    narrow, wide = bootstrap_interval(right, share=0.5), bootstrap_interval(right, share=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        ([], {}),
        ([[1, 0]], {}),
        (["right"], {}),
        ([1.0, float("nan")], {}),
        ([True], {"share": 1.0}),
        ([True], {"draws": 0}),
    ],
)
def test_what_is_no_sample_is_refused(values, settings):
    with pytest.raises(ValueError, match="Expected"):
        bootstrap_interval(values, **settings)
