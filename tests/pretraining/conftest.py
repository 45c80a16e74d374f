import csv

import numpy as np
import pytest
from PIL import Image
from tiny_data import tiny_manifest

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


@pytest.fixture(scope="session")
def watched_data(tmp_path_factory):
    """Sixty studies with labels: 36 to train on, 12 for validation, 12 for the test; path of the CSV."""
    folder = tmp_path_factory.mktemp("watched")
    table = tiny_manifest(folder, images=60, size=32).table
    table["report"] = table["report"].map(" ".join)
    columns = ["image", "patient_id", "study_id", "split", "report", "Edema", "Pleural Effusion"]
    table[columns].to_csv(folder / "pairs.csv", index=False)
    return folder / "pairs.csv"


@pytest.fixture
def watched_values(values, watched_data):
    """The config on data that have held-out patients, labels and reports of three sentences."""
    values["data"] = {**values["data"], "dataset": str(watched_data)}
    values["validation"] = dict(interval=1, prompts="sample")
    return values


@pytest.fixture
def watched_prior(watched_values):
    """PRIOR's three stages, of two epochs each, on the same data."""
    watched_values["method"] |= dict(
        type="prior",
        prototypes=6,
        queries=4,
        decoder_layers=1,
        decoder_heads=2,
        temperature=0.1,
        embed_dim=32,
    )
    watched_values["method"]["image_encoder"] |= dict(pool="attention", local_stage=-2)  # 2 x 2 patches
    watched_values["method"]["image_blocks"] = 4
    watched_values["schedule"] = dict(stages=[dict(epochs=2), dict(epochs=2), dict(epochs=2)])
    watched_values["hooks"] = [dict(type="prior_bench.prior.schedule.PrototypesFromSentences")]
    return watched_values
