"""Compare the pictures that a cell draws with those that it drew before."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

KINDS = ("image/png", "image/jpeg")
MEASURED, TRAINED = "measured-picture", "trained-picture"
VISIBLE = 64  # of 255: a pixel that differs less is not counted
TOLERANCE = 0.004  # of all pixels: a bar that is 5% longer is above this
TRAINED_TOLERANCE = 0.05  # a curve drawn elsewhere, but no other axis or label
RESIZED = 0.05  # the labels of another scale can be wider


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
