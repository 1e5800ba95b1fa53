"""What X, y and groups of a Forecaster become: a Panel of numbers."""
