"""The ingredients of a retrieval protocol."""

from prior_bench.protocol_parity.ingredients import Ingredient

from . import retrieved


def ingredients() -> dict[str, Ingredient]:
    """Return the ingredients of image-text retrieval, in the order of the data's way."""
    from . import transforms

    return {
        "test transform": Ingredient(
            "file to tensor: resize, filter, rounding, statistics", transforms.test_transform
        ),
        "candidates": Ingredient("which images and texts are ranked, and what is a match", retrieved.pool),
        "score": Ingredient("given embeddings to the score of each pair", retrieved.scores),
        "metric": Ingredient("metrics of a given matrix of scores", retrieved.metrics),
    }
