"""Looking into trained networks, in numbers and in pictures.

Pictures need matplotlib (``pip install "skrnn[plot]"``), which is imported when one is
drawn. Nothing here loads TensorFlow or Keras.
"""

from skrnn.inspection._attention import attention_weights
from skrnn.inspection._attention_display import AttentionDisplay
from skrnn.inspection._importance import sequence_importance
from skrnn.inspection._importance_display import SequenceImportanceDisplay
from skrnn.inspection._memory_display import MemoryDisplay
from skrnn.inspection._sequence_output import SequenceOutputDisplay
from skrnn.inspection._steps import gates, hidden_states
from skrnn.inspection.forecasts._forecast import ForecastDisplay
from skrnn.inspection.gradients._display import GradientFlowDisplay
from skrnn.inspection.gradients._gradient_flow import gradient_flow
from skrnn.inspection.training._epoch_log import EpochLog
from skrnn.inspection.training._training_history import TrainingHistoryDisplay

__all__ = [
    "AttentionDisplay",
    "EpochLog",
    "ForecastDisplay",
    "GradientFlowDisplay",
    "MemoryDisplay",
    "SequenceImportanceDisplay",
    "SequenceOutputDisplay",
    "TrainingHistoryDisplay",
    "attention_weights",
    "gates",
    "gradient_flow",
    "hidden_states",
    "sequence_importance",
]
