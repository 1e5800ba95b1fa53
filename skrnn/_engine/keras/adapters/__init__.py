"""What each backend of Keras does in its own way: modules with the same functions."""
