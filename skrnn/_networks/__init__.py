"""Networks as descriptions: no framework computes here."""
