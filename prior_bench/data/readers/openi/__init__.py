"""Readers of Open-i, as distributed and in its two re-packs."""
