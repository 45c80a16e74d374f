"""Comparison tables: their configs, cells, marks and formats."""
