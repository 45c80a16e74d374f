"""Models of transformers, built by transformers itself from a folder with its ``config.json``."""
