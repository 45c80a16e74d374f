"""The functions of ``import prior_bench``; the command line only calls them."""
