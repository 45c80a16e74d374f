"""Readers of public data sets, one file or folder per data set."""
