"""The ingredients of a segmentation protocol."""

from prior_bench.protocol_parity.ingredients import Ingredient

from . import data


def ingredients() -> dict[str, Ingredient]:
    """Return the ingredients of segmentation, in the order of the data's way."""
    from . import dense_heads, dense_images, masks_scored, transforms
    from . import dense_training as training

    return {
        "test transform": Ingredient(
            "file to tensor in evaluation: resize, filter, rounding, statistics", transforms.test_transform
        ),
        "mask": Ingredient("annotation to mask, and its resizing", dense_images.mask),
        "training transform": Ingredient(
            "file and mask in training, with the drawn parameters given", dense_images.training_mask_and_image
        ),
        "split": Ingredient("which images are in train, validation and test", data.split),
        "label fraction": Ingredient("which images are drawn for 1 % and 10 %", data.label_fraction),
        "batches": Ingredient("batch size, shuffling, sampling, incomplete last batches", training.batches),
        "head": Ingredient(
            "layers, shapes and number of parameters, statistics of the initialisation", dense_heads.decoder
        ),
        "frozen parts": Ingredient(
            "what has a gradient; BatchNorm's statistics after one step", dense_heads.frozen
        ),
        "loss": Ingredient("value on given logits and masks, and its gradient", training.loss),
        "optimiser": Ingredient(
            "type, groups of parameters, rate, weight decay, momentum or betas", training.optimiser
        ),
        "schedule": Ingredient("learning rates of the first three epochs", training.schedule),
        "training step": Ingredient("clipping, accumulation, precision", training.training_step),
        "stopping and selection": Ingredient(
            "a history in, the number of epochs and the chosen one out", training.stopping
        ),
        "post-processing": Ingredient(
            "given logits to the mask that is scored", masks_scored.post_processing
        ),
        "metric": Ingredient("metrics of given masks", masks_scored.metric),
    }
