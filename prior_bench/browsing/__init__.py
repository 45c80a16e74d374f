"""``prior-bench serve``: the stores of a results root as pages on this machine, to read only."""
