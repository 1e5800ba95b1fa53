"""Texts that generators learn."""

from _instances import OF_TEXT

TEXT = "the cat sat on the mat and the rat sat on the hat. " * 6
NAMES = ["anna", "hannah", "otto", "bob", "eve", "ada"] * 4
TINY = OF_TEXT[0].get_params()
