"""The ingredients of a zero-shot protocol."""

from prior_bench.protocol_parity.ingredients import Ingredient

from . import data, prompted


def ingredients() -> dict[str, Ingredient]:
    """Return the ingredients of zero-shot classification, in the order of the data's way."""
    from . import transforms

    return {
        "test transform": Ingredient(
            "file to tensor: resize, filter, rounding, statistics", transforms.test_transform
        ),
        "test set": Ingredient("which images are scored, and their classes", data.test_set),
        "prompts": Ingredient("texts of each class", prompted.texts),
        "class embeddings": Ingredient(
            "given text embeddings to one embedding or group per class", prompted.class_embeddings
        ),
        "score": Ingredient(
            "given embeddings to the score of each class, and its normalisation", prompted.scores
        ),
        "metric": Ingredient("metrics of given scores", prompted.metrics),
    }
