"""The runs of a store: how they are found, selected, resampled and described."""
