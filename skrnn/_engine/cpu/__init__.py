"""The cpu engine: kernels in C, and formulas on NumPy with gradients."""
