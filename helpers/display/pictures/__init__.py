# ruff: noqa: F401
"""Pictures in HTML, the same on every machine, for a light and a dark theme or without style."""

from .answers import pair_labels_picture, pair_picture, prediction_picture, steps_picture
from .bars import (
    batches_picture,
    measure_picture,
    probability_picture,
    progress_picture,
    similarity_picture,
)
from .differences import diff_picture
from .html import Picture
from .matrices import attention_picture, mask_picture
from .tokens import padding_picture, split_picture, token_picture
