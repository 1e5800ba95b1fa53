"""The same networks as models of Keras."""
