from .checks import TrainingError as TrainingError
from .evaluation import bfloat16_is_faster as bfloat16_is_faster
from .evaluation import evaluate as evaluate
from .history import History as History
from .history import HistoryCallback as HistoryCallback
from .loop import linear_schedule as linear_schedule
from .loop import train as train
