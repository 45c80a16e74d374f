"""Records of runs: storage, exchange, provenance."""
