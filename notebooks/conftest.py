"""Let nbval run notebooks as a reader does, and compare their plots, too.

Kernels start without the settings of whoever runs the checks, and a library's
deprecation warning is an error in them.

A cell whose result differs from machine to machine, such as a score of a
training, declares by how much in its metadata: ``tolerance: 0.03``, and the
reason. The decimal numbers that it prints may differ by that much.

By itself, nbval skips every PNG and JPEG.

A plot may differ from the stored one in a few pixels, because another
processor rounds differently. A training amplifies such differences: a plot of
its result has the tag ``trained-picture`` and a reason, and may differ in more
pixels. A plot of seconds or of memory differs on every run: its cell has the
tag ``measured-picture`` and a reason, and only the picture's size is compared.
"""

import copy
import re
from decimal import Decimal
from functools import partial

import pytest
from nbval.plugin import IPyNbCell
from processes import KERNEL_WARNINGS
from tools.pictures import (
    MEASURED,
    TOLERANCE,
    TRAINED,
    TRAINED_TOLERANCE,
    difference,
    pictures,
)
from tools.run_notebooks import PERSONAL

DECIMAL = re.compile(r"-?\d+\.\d+")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Set the environment that a notebook's kernel starts with."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        for name in PERSONAL:
            patch.delenv(name, raising=False)
        patch.setenv("PYTHONWARNINGS", KERNEL_WARNINGS)
        return (yield)


def pytest_collection_modifyitems(items):
    """Add the comparison to each cell that nbval collected."""
    for item in items:
        if isinstance(item, IPyNbCell):
            item.compare_outputs = partial(compare, item, item.compare_outputs)


def compare(cell, compare_texts, new, stored, **options):
    """Compare all that nbval compares, and then the pictures."""
    tolerance = cell.cell.metadata.get("tolerance", 0)
    near = with_stored_numbers(new, stored, tolerance) if tolerance else new
    if not compare_texts(near, stored, **options):
        return False
    tags = cell.cell.metadata.get("tags", [])
    allowed = TRAINED_TOLERANCE if TRAINED in tags else TOLERANCE
    found = difference(
        pictures(new), pictures(stored), MEASURED in tags, allowed
    )
    if found:
        cell.comparison_traceback.append(f"\n{found}")
    return not found


def with_stored_numbers(new, stored, tolerance):
    """Take the stored text where only decimal numbers differ, and by little.

    Parameters
    ----------
    new, stored : list of dict
        The outputs of a cell, as nbformat stores them.
    tolerance : float
        The largest difference.

    Returns
    -------
    list of dict
        The new outputs.
    """
    near = copy.deepcopy(new)
    for one, other in zip(near, stored, strict=False):
        if "text" in one and is_near(
            one["text"], other.get("text", ""), tolerance
        ):
            one["text"] = other["text"]
    return near


def is_near(text, stored, tolerance):
    """Tell whether two texts differ only in decimal numbers, by little."""
    if DECIMAL.sub("#", text) != DECIMAL.sub("#", stored):
        return False
    most = Decimal(str(tolerance))
    pairs = zip(DECIMAL.findall(text), DECIMAL.findall(stored), strict=True)
    return all(abs(Decimal(one) - Decimal(two)) <= most for one, two in pairs)
