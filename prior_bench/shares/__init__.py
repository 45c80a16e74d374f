"""One batch in several processes: each has a share of the rows, and together they compute as one would.

Each process sends its share through the network. Outputs are gathered (:mod:`prior_bench.shares.rows`), so
that every process computes the loss of the whole batch, whatever the loss is. Gradients are those of a
process's own rows, and are added up (:mod:`prior_bench.shares.gradients`). Statistics of batch normalisations
(:mod:`prior_bench.shares.statistics`) and draws (:mod:`prior_bench.shares.draws`) are of the whole batch.
"""
