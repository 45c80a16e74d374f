"""The HTML report of a suite: one file that needs no network. Its script only sorts tables."""
