"""The functions behind ``import prior_bench``; the command line is a thin caller of them."""
