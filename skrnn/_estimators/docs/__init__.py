"""The description of every parameter, once."""
