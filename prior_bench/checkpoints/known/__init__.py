"""Released checkpoints of methods that the suite does not train, as image encoders: one module per family."""
