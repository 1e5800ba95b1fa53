"""The kernels in C, and the Python functions that call them."""
