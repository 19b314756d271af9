from .loop import History as History
from .loop import HistoryCallback as HistoryCallback
from .loop import TrainingError as TrainingError
from .loop import bfloat16_is_faster as bfloat16_is_faster
from .loop import evaluate as evaluate
from .loop import linear_schedule as linear_schedule
from .loop import train as train
