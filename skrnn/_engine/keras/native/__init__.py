"""What each backend of Keras does in its own way: one table of functions each."""
