"""A leaderboard that others add to: bundles of results, their check, and a static site of many of them."""
