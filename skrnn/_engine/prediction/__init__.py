"""Prediction: in batches, step by step, and what is decoded."""
