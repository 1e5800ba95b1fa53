"""Networks with a memory beside their units, as formulas."""

from skrnn.reference.memory._ntm import ntm, ntm_step

__all__ = ["ntm", "ntm_step"]
