"""MGCA's repository in this process: its constants, its splits, its data at the benchmark's scale."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.official import imports
from benchmarks.official.job import Job
from benchmarks.official.scale import CROP, ENLARGED

FOLDERS = {"rsna": "RSNA_Pneumonia", "chexpert": "CheXpert-v1.0", "siim": "SIIM_Pneumothorax"}
"""Names that MGCA's constants give the data sets."""
CUT = 105
"""MGCA's preprocessing of SIIM-ACR takes the path behind this many characters for the path of the image."""


def make_importable(job: Job) -> None:
    """Import ``mgca`` from the checkout, with its data under the job's folder."""
    imports.put_first([*job.sites, job.checkout])
    imports.with_old_names()
    imports.without_downloads()
    # text encoder and ViT; they are not used, and need an older transformers
    imports.stand_in("mgca.models.backbones.med", BertModel=None)
    imports.stand_in("mgca.models.backbones.vits", create_vit=None)
    from mgca import constants

    imports.rebased(constants, job.data)
    constants.PNEUMOTHORAX_IMG_DIR = _of_length(Path(constants.PNEUMOTHORAX_IMG_DIR), CUT - 1)


def _of_length(path: Path, length: int) -> str:
    """The same path in ``length`` characters."""
    missing = length - len(str(path))
    if missing < 0:
        raise SystemExit(f"{path} is longer than {length} characters: use a shorter --keep")
    return f"{path.parent}{'/.' * (missing // 2)}{'/' * (missing % 2)}/{path.name}"


def split(job: Job, name: str) -> None:
    """Write MGCA's lists of train, validation and test: by its own code, except those of CheXpert."""
    if name == "rsna":
        from mgca.preprocess.rsna import preprocess_rsna_data

        preprocess_rsna_data()
    elif name == "siim":
        from mgca.preprocess.siim import preprocess_pneumothorax_data

        preprocess_pneumothorax_data()
    else:  # its numbers, 200 and 5,000, are fixed in the code, and the copy is smaller
        _split_as_ours(job.data / FOLDERS[name])


def _split_as_ours(folder: Path) -> None:
    import pandas as pd

    import prior_bench as pb

    table = pd.read_csv(folder / "train.csv")
    image = table["Path"].str.partition("/")[2]
    parts = pb.open_dataset(dict(type="chexpert", root=str(folder), counts="shares"), split="mgca")
    for part in ("train", "valid"):
        wanted = parts.table.loc[parts.table["split"] == part, "image"]
        rows = table.set_index(image).loc[wanted.to_numpy()]
        rows.to_csv(folder / f"{part}_split.csv")


def data_module(dataset: Any, transforms: Any, batch: int, size: int) -> Any:
    """MGCA's data module with all labels, ``size`` pixels, and loading in this process."""
    from mgca.datasets.data_module import DataModule

    return DataModule(partial(dataset, imsize=size), None, transforms, 1.0, batch, 0, crop_size=CROP)


def image_encoder(job: Job) -> Any:
    """MGCA's image encoder with the job's weights, enlarging images to the scale's size."""
    import torch
    from mgca.models.backbones import encoder

    encoder.nn = imports.enlarging_to(ENLARGED)
    built = encoder.ImageEncoder(model_name="resnet_50")
    built.model.load_state_dict(torch.load(job.weights / "resnet50.pt"))
    return built


def trained_and_tested(model: Any, data: Any, epochs: int, save_top_k: int) -> dict[str, float]:
    """Train and test with the callbacks and the trainer of MGCA's scripts; return what the test logs."""
    from pytorch_lightning import Trainer
    from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

    early = EarlyStopping(monitor="val_loss", min_delta=0.0, patience=10, verbose=False, mode="min")
    with TemporaryDirectory() as folder:
        best = ModelCheckpoint(
            monitor="val_loss", dirpath=folder, save_last=True, mode="min", save_top_k=save_top_k
        )
        trainer = Trainer(
            max_epochs=epochs,
            callbacks=[best, early],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            accelerator="cpu",
        )
        trainer.fit(model, datamodule=data)
        (logged,) = trainer.test(model, datamodule=data, ckpt_path="best", verbose=False)
    return logged
