"""MGCA's segmentation of SIIM-ACR: ``mgca_segmenter.py`` and ``ssl_segmenter.py``, and our protocol."""

from functools import partial

from benchmarks.official import mgca_data
from benchmarks.official.job import Job
from benchmarks.official.scale import CROP
from benchmarks.official.weights import IMAGE_ENCODER, image_encoder_row

EPOCHS, RATE, BATCH = 4, 2e-3, 4
"""On both sides. In the paper 50, 5e-4 and 8."""
DECAY = 0.05


def official(job: Job) -> list[float]:
    """Run MGCA's code; return the test Dice of each seed."""
    mgca_data.make_importable(job)
    mgca_data.split(job, "siim")
    import segmentation_models_pytorch as smp
    import torch
    from mgca.datasets import segmentation_dataset
    from mgca.models.ssl_segmenter import SSLSegmenter
    from pytorch_lightning import seed_everything

    # albumentations 0.5.2, which MGCA requires, takes pictures and masks of different sizes
    compose = segmentation_dataset.Compose
    segmentation_dataset.Compose = partial(compose, is_check_shapes=False)
    weights = torch.load(job.weights / IMAGE_ENCODER)
    values = []
    for seed in job.seeds:
        seed_everything(seed)
        data = mgca_data.data_module(segmentation_dataset.SIIMImageDataset, None, BATCH, CROP)
        network = smp.Unet("resnet50", encoder_weights=None, activation=None)
        network.encoder.load_state_dict({**weights, "fc.bias": None, "fc.weight": None})
        network.encoder.requires_grad_(False)
        model = SSLSegmenter(network, learning_rate=RATE, weight_decay=DECAY)
        logged = mgca_data.trained_and_tested(model, data, EPOCHS, save_top_k=5)
        values.append(logged["test_dice"])
    return values


def ours(job: Job) -> list[float]:
    """Run our protocol; return the same."""
    import prior_bench as pb

    results = pb.evaluate(
        image_encoder_row(job.weights),
        task="segmentation",
        data=dict(type="siim_acr", root=str(job.data / mgca_data.FOLDERS["siim"])),
        protocol="mgca/segmentation_siim",
        seed=list(job.seeds),
        overrides={
            "transform.input.size": CROP,
            "optimizer.lr": RATE,
            "batch_size": BATCH,
            "stopping.epochs": EPOCHS,
        },
        allow_leakage=True,  # lines of the table are split, so that some images are in train and in test
        store=job.folder / "records",
        device="cpu",
    )
    return [result.metrics["dice_per_image_empty1"] for result in results]
