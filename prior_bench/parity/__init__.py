"""Parity: our implementations against numbers that the official sources produced."""
