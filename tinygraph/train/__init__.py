"""Training: fit, evaluate, predict, with callbacks, metrics and the history of a run."""

from .callbacks import Callback, LambdaCallback
from .checkpointing import Checkpoint
from .classification import Accuracy, BitsPerCharacter, Perplexity, TopK
from .confusion import confusion_matrix
from .early_stopping import EarlyStopping
from .evaluation import evaluate, predict
from .fit import fit
from .history import History
from .metrics import MeanMetric, MeanOf, Metric
from .parallel import Parallel, parallel
from .regression import R2, MeanAbsoluteError, MeanSquaredError
from .run import Run
from .scheduling import ScheduleCallback

__all__ = [
    "Accuracy",
    "BitsPerCharacter",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "MeanAbsoluteError",
    "MeanMetric",
    "MeanOf",
    "MeanSquaredError",
    "Metric",
    "Parallel",
    "Perplexity",
    "R2",
    "Run",
    "ScheduleCallback",
    "TopK",
    "confusion_matrix",
    "evaluate",
    "fit",
    "parallel",
    "predict",
]
