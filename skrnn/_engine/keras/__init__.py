"""The keras engine, and whatever else needs Keras."""
