"""Pictures in HTML, readable in a light and in a dark theme, and without any style at all.

Each function takes plain results and returns HTML that is the same on every machine.
"""

from .answers import pair_labels_picture as pair_labels_picture
from .answers import pair_picture as pair_picture
from .answers import prediction_picture as prediction_picture
from .answers import steps_picture as steps_picture
from .bars import batches_picture as batches_picture
from .bars import measure_picture as measure_picture
from .bars import probability_picture as probability_picture
from .bars import progress_picture as progress_picture
from .bars import similarity_picture as similarity_picture
from .differences import diff_picture as diff_picture
from .html import Picture as Picture
from .matrices import attention_picture as attention_picture
from .matrices import mask_picture as mask_picture
from .tokens import padding_picture as padding_picture
from .tokens import split_picture as split_picture
from .tokens import token_picture as token_picture
