"""Where the weights of a row come from: random, timm, a checkpoint, a pre-training run."""
