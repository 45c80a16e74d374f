import csv

import numpy as np
import pytest
from PIL import Image

from prior_bench.pretraining.config import from_dict

FINDINGS = (
    "small left pleural effusion",
    "the heart is enlarged",
    "right lower lobe consolidation",
    "mild edema",
)


@pytest.fixture(scope="session")
def small_data(tmp_path_factory):
    """Twenty studies of one or two 40 x 32 images, with reports of 1 to 4 sentences; path of the CSV."""
    folder = tmp_path_factory.mktemp("reports")
    rng = np.random.default_rng(0)
    rows = []
    for study in range(20):
        sentences = [
            f"{FINDINGS[(study + i) % 4].capitalize()} in study number {study}." for i in range(1 + study % 4)
        ]
        for view in range(1 + study % 2):
            name = f"{study}_{view}.png"
            Image.fromarray(rng.integers(0, 255, (40, 32), dtype=np.uint8)).save(folder / name)
            rows.append((name, f"p{study}", f"s{study}", "train", " ".join(sentences)))
    path = folder / "pairs.csv"
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([("image", "patient_id", "study_id", "split", "report"), *rows])
    return path


@pytest.fixture
def values(small_data):
    """A config, as plain types, that trains in a second."""
    return dict(
        method=dict(
            type="convirt",
            image_encoder=dict(
                model_name="resnet18",
                in_channels=1,
                input=dict(size=32),
                model_args=dict(channels=(4, 4, 8, 8), stem_width=8),
            ),
            text_encoder=dict(
                config=dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32),
                max_tokens=32,
            ),
            embed_dim=8,
        ),
        vocab_size=120,
        data=dict(
            dataset=str(small_data), transform=dict(RandomAffine=dict(degrees=5)), text="shuffled_sentences"
        ),
        batch_size=8,
        optimizer=dict(lr=1e-3, weight_decay=0.1),
        schedule=dict(epochs=3, warmup_epochs=1),
        clip_grad=1.0,
        name="small",
    )


@pytest.fixture
def config(values):
    return from_dict(values)
