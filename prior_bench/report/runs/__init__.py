"""The runs of a store: find, select, resample and describe them."""
