"""Pre-training on mmengine's Runner."""
