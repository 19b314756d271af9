# ruff: noqa: F401
"""Pictures in HTML, readable in a light and in a dark theme, and without any style at all.

Each function takes plain results and returns HTML that is the same on every machine.
"""

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
