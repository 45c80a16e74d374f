"""Models of open_clip, built by open_clip itself from a config or from a name that it knows."""
