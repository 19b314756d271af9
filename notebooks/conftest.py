"""Let nbval run notebooks as a reader does, and compare their plots, too.

Kernels start without the settings of whoever runs the checks, and a library's
deprecation warning is an error in them.

By itself, nbval skips every PNG and JPEG.

A plot may differ from the stored one in a few pixels, because another
processor rounds differently. A training amplifies such differences: a plot of
its result has the tag ``trained-picture`` and a reason, and may differ in more
pixels. A plot of seconds or of memory differs on every run: its cell has the
tag ``measured-picture`` and a reason, and only the picture's size is compared.
"""

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
    if not compare_texts(new, stored, **options):
        return False
    tags = cell.cell.metadata.get("tags", [])
    allowed = TRAINED_TOLERANCE if TRAINED in tags else TOLERANCE
    found = difference(
        pictures(new), pictures(stored), MEASURED in tags, allowed
    )
    if found:
        cell.comparison_traceback.append(f"\n{found}")
    return not found
