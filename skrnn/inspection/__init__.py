"""Looking into trained networks, in numbers and in pictures.

Pictures need matplotlib (``pip install "skrnn[plot]"``), which is imported when one is
drawn.
"""

from skrnn.inspection._attention import attention_weights
from skrnn.inspection._epoch_log import EpochLog
from skrnn.inspection._forecast import ForecastDisplay
from skrnn.inspection._training_history import TrainingHistoryDisplay

__all__ = ["EpochLog", "ForecastDisplay", "TrainingHistoryDisplay", "attention_weights"]
