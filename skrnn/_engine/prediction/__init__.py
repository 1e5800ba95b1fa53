"""Prediction: in batches, step by step, and decoding."""
