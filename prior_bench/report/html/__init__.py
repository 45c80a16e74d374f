"""The HTML report of a suite: one file, no network, no script."""
