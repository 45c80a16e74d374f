"""The HTML report of a suite: one file, no network; a small script sorts tables and is not needed."""
