"""Losses that Keras' TensorBoard callback writes, read back from its event files."""

import numpy as np
import pytest
from _instances import needs

from skrnn import GRURegressor


def scalars(folder):
    """Read the values of a run, by tag."""
    import tensorflow as tf
    from tensorflow.core.util import event_pb2
    from tensorflow.data import TFRecordDataset
    from tensorflow.io.gfile import glob

    found = {}
    for path in sorted(glob(f"{folder}/*tfevents*")):
        for record in TFRecordDataset(path):
            for value in event_pb2.Event.FromString(record.numpy()).summary.value:
                found.setdefault(value.tag, []).append(
                    float(tf.make_ndarray(value.tensor))
                )
    return found


@pytest.mark.parametrize("engine", ["cpu", "keras"])
def test_tensorboard_has_the_losses_of_each_epoch(engine, tmp_path):
    needs("tensorboard")
    import keras

    if keras.config.backend() != "tensorflow":
        pytest.skip("TensorBoard's callback writes by TensorFlow")
    X = np.random.default_rng(0).normal(size=(24, 4, 1))
    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=0, write_graph=False)
    model = GRURegressor(
        units=2, epochs=3, validation_split=0.2, callbacks=[board], engine=engine,
        random_state=0,
    ).fit(X, X[:, 0, 0])  # fmt: skip
    for part, name in ("train", "loss"), ("validation", "val_loss"):
        found = scalars(tmp_path / part)
        np.testing.assert_allclose(found["epoch_loss"], model.history_[name], rtol=1e-5)
