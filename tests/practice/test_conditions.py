"""What conditions are written with: true for what it should be, and never an error."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers.practice.conditions import TOOLS, agrees, close, is_number, same, shape


class Odd:
    """Raises at whatever is asked."""

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


@pytest.mark.parametrize("value", [1, 0.5, np.float32(2), torch.tensor(3.0), np.array(1)])
def test_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize("value", [True, "1", None, [1], torch.ones(1), torch.ones(2, 2), ...])
def test_not_numbers(value):
    assert not is_number(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (torch.ones(2, 3), (2, 3)),
        (np.ones(4), (4,)),
        ([[1, 2], [3, 4]], (2, 2)),
        (5, ()),
        ([[1], [2, 3]], None),
        ("ab", None),
        (None, None),
        ({"a": 1}, None),
        ([], None),
    ],
)
def test_shapes(value, expected):
    assert shape(value) == expected


def test_close_compares_shapes_too():
    assert close(torch.tensor([1.0, 2.0]), [1.00001, 2])
    assert close(torch.tensor([1.0], dtype=torch.bfloat16), [1])
    assert not close(torch.ones(2, 1), torch.ones(1, 2))
    assert not close([1.0], 1.0)
    assert not close([1.0, 2.0], [1.0, 2.1])
    assert not close("a", "a")
    assert not close(None, None)


def test_same_goes_into_what_holds_others():
    assert same({"a": [1, "x", None]}, {"a": [1.00000001, "x", None]})
    assert same([torch.ones(2), "a"], (np.ones(2), "a"))
    assert not same([1, 2], [1, 2, 3])
    assert not same({"a": 1}, {"b": 1})
    assert not same(True, 1)
    assert not same("1", 1)
    assert not same(None, 0)
    assert not same(Odd(), SimpleNamespace())


def test_agrees_needs_every_input():
    assert agrees(lambda x: x + x, lambda x: 2 * x, (1,), (2.5,))
    assert not agrees(lambda x: x * x, lambda x: 2 * x, (2,), (3,))


@pytest.mark.parametrize("name", ["is_number", "is_text", "is_function", "shape"])
def test_no_tool_raises(name):
    for value in (None, ..., Odd(), object, torch.ones(0), [[]], {1: 2}, b"x", 1j, float("nan")):
        TOOLS[name](value)
