"""Published numbers, and which of ours may stand beside them."""
