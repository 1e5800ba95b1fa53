"""Programs on TensorFlow, JAX and PyTorch."""
