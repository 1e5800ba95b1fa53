"""Networks for other programs: Keras, TensorFlow, ONNX, or NumPy alone."""
