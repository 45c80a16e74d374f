"""MGCA's linear classification: ``mgca_finetuner.py`` and ``ssl_finetuner.py``, and our protocol."""

from benchmarks.official import mgca_data
from benchmarks.official.job import Job
from benchmarks.official.scale import CROP, ENLARGED, RESIZED
from benchmarks.official.weights import image_encoder_row

EPOCHS, RATE, BATCH = 3, 2e-2, 16
"""On both sides. In the paper 50, 5e-4 and 48, which is too few updates for so few images."""


def official(job: Job, name: str) -> list[float]:
    """Run MGCA's code on one of its data sets; return the test AUROC of each seed."""
    mgca_data.make_importable(job)
    mgca_data.split(job, name)
    from mgca.datasets import classification_dataset, transforms
    from mgca.models.ssl_finetuner import SSLFineTuner
    from pytorch_lightning import seed_everything

    dataset, transform, classes = {
        "rsna": (classification_dataset.RSNAImageDataset, transforms.DataTransforms, 1),
        "chexpert": (classification_dataset.CheXpertImageDataset, transforms.Moco2Transform, 5),
    }[name]
    values = []
    for seed in job.seeds:
        seed_everything(seed)
        data = mgca_data.data_module(dataset, transform, BATCH, RESIZED)
        encoder = mgca_data.image_encoder(job)
        tuner = SSLFineTuner(
            encoder, "resnet_50", encoder.feature_dim, classes, multilabel=True, learning_rate=RATE
        )
        logged = mgca_data.trained_and_tested(tuner, data, EPOCHS, save_top_k=1)
        values.append(logged["test_auc"])
    return values


def ours(job: Job, name: str) -> list[float]:
    """Run our protocol; return the same."""
    import prior_bench as pb

    root = str(job.data / mgca_data.FOLDERS[name])
    results = pb.evaluate(
        image_encoder_row(job.weights),
        task="classification",
        data={
            "rsna": dict(type="rsna_pneumonia", root=root),
            "chexpert": dict(type="chexpert", root=root, counts="shares"),
        }[name],
        protocol=f"mgca/linear_{name}",
        seed=list(job.seeds),
        overrides={
            "transform.input.size": CROP,
            "transform.train.Resize.size": RESIZED,
            "transform.train.RandomCrop.size": CROP,
            "transform.eval.Resize": RESIZED,
            "options.enlarge": ENLARGED,
            "optimizer.lr": RATE,
            "batch_size": BATCH,
            "stopping.epochs": EPOCHS,
        },
        store=job.folder / "records",
        device="cpu",
    )
    return [result.metrics["auroc"] for result in results]
