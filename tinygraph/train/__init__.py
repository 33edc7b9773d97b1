"""Training: fit, evaluate, predict, with callbacks, metrics and the history of a run."""

from .callbacks import Callback, EarlyStopping, LambdaCallback, ScheduleCallback
from .checkpointing import Checkpoint
from .confusion import confusion_matrix
from .evaluation import evaluate, predict
from .fit import fit
from .history import History
from .metrics import Accuracy, BitsPerCharacter, MeanMetric, MeanOf, Metric, Perplexity, TopK
from .parallel import Parallel, parallel
from .regression import R2, MeanAbsoluteError, MeanSquaredError
from .run import Run

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
