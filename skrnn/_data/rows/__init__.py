"""The order of rows, and the series that they belong to."""
