"""Synthetic radiographs: anatomy, findings, exposure."""
