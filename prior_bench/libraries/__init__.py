"""Models that are built by the library that owns them, behind the contracts of prior_bench.api."""
