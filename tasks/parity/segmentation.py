"""The ingredients of a segmentation protocol."""

from prior_bench.protocol_parity.ingredients import Ingredient

from . import data


def ingredients() -> dict[str, Ingredient]:
    """Return the ingredients of segmentation, in the order of the data's way."""
    from . import transforms

    return {
        "test transform": Ingredient(
            "file to tensor in evaluation: resize, filter, rounding, statistics", transforms.test_transform
        ),
        "mask": Ingredient("annotation to mask, and its resizing"),
        "training transform": Ingredient("file and mask in training, with the drawn parameters given"),
        "split": Ingredient("which images are in train, validation and test", data.split),
        "label fraction": Ingredient("which images are drawn for 1 % and 10 %", data.label_fraction),
        "batches": Ingredient("batch size, shuffling, sampling, incomplete last batches"),
        "head": Ingredient("layers, shapes and number of parameters, statistics of the initialisation"),
        "frozen parts": Ingredient("what has a gradient; BatchNorm's statistics after one step"),
        "loss": Ingredient("value on given logits and masks, and its gradient"),
        "optimiser": Ingredient("type, groups of parameters, rate, weight decay, momentum or betas"),
        "schedule": Ingredient("learning rates of the first three epochs"),
        "training step": Ingredient("clipping, accumulation, precision"),
        "stopping and selection": Ingredient("a history in, the number of epochs and the chosen one out"),
        "post-processing": Ingredient("given logits to the mask that is scored"),
        "metric": Ingredient("metrics of given masks"),
    }
