"""What trains and predicts a user's own Keras network."""
