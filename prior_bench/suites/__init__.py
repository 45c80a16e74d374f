"""From a suite config to a checked plan of runs."""
