"""Parity of protocols: compare our protocols, part by part, with what the papers' code does."""
