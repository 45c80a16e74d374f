"""Readers of SIIM-ACR Pneumothorax, as distributed and as PNG re-pack."""
