"""The kernels in C, and what calls them."""
