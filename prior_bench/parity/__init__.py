"""Parity: compare our implementations with values that official implementations produced."""
