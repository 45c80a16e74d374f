"""Sources of a row's weights: random, timm, a checkpoint, a pre-training run."""
