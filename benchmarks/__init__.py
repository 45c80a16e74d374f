"""Speed and memory, measured as ratios inside one run; see each file's docstring for its command."""
