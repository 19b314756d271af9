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

import base64
import io
from functools import partial

import numpy as np
import pytest
from nbval.plugin import IPyNbCell
from processes import KERNEL_WARNINGS
from tools.run_notebooks import PERSONAL

KINDS = ("image/png", "image/jpeg")
MEASURED, TRAINED = "measured-picture", "trained-picture"
VISIBLE = 64  # of 255: a pixel that differs less is not counted
TOLERANCE = 0.004  # of all pixels: a bar that is 5 % longer is above this
TRAINED_TOLERANCE = 0.05  # a curve drawn elsewhere, but no other axis or label
RESIZED = 0.05  # the labels of another scale can be wider


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


def pictures(outputs):
    """Decode the pictures in a cell's outputs.

    Parameters
    ----------
    outputs : list of dict
        The outputs, as nbformat stores them.

    Returns
    -------
    list of ndarray
        Each of shape (height, width, 3).
    """
    from PIL import Image

    data = [output.get("data", {}) for output in outputs]
    files = [one[kind] for one in data for kind in KINDS if kind in one]
    decoded = (io.BytesIO(base64.b64decode(file)) for file in files)
    return [np.asarray(Image.open(one).convert("RGB")) for one in decoded]


def difference(new, stored, measured=False, allowed=TOLERANCE):
    """Describe how pictures differ.

    Parameters
    ----------
    new, stored : list of ndarray
        Pictures of shape (height, width, 3).
    measured : bool, default=False
        Compare only their number and size.
    allowed : float
        The share of pixels that may differ.

    Returns
    -------
    str
        Empty if they are alike.
    """
    if len(new) != len(stored):
        return f"stored pictures: {len(stored)}, drawn now: {len(new)}"
    for one, other in zip(new, stored, strict=True):
        longest = max(*one.shape[:2], *other.shape[:2])
        growth = np.subtract(one.shape[:2], other.shape[:2])
        if np.abs(growth).max() > RESIZED * longest * measured:
            return (
                f"the stored picture has {other.shape[1]} x {other.shape[0]} "
                f"pixels; drawn now: {one.shape[1]} x {one.shape[0]}"
            )
        if not measured:
            off = np.abs(one.astype(int) - other).max(axis=2) > VISIBLE
            if off.mean() > allowed:
                return (
                    f"{off.mean():.1%} of the stored picture's pixels differ "
                    f"from what the cell draws (allowed: {allowed:.1%})"
                )
    return ""
