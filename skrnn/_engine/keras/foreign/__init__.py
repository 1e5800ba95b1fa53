"""Losses and optimizers of Keras, or of the user's own."""
