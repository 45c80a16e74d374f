"""The papers' downstream code and ours, run on the same synthetic data (``benchmarks.against_official``)."""
