"""stub."""


def check_leakage():
    """Stub."""
