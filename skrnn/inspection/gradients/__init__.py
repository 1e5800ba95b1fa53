"""How the gradient of the loss flows back through the steps of a sequence."""
