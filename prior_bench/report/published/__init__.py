"""Published numbers, and the runs that are comparable with them."""
