"""Two runs, or two stores, side by side."""
