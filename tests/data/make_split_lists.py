"""Makes results/splits from the public annotation files inside the torchxrayvision wheel.

    python tests/data/make_split_lists.py

Only what those files allow: RSNA, SIIM-ACR and CheXpert's train.csv. ``test_split_lists.py`` makes the same
again and compares.
"""

import gzip
import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from prior_bench.data.manifest import Manifest
from prior_bench.data.readers import rsna_pneumonia
from prior_bench.data.readers.chexpert import five_by_200 as chexpert_5x200
from prior_bench.data.readers.chexpert import reader as chexpert
from prior_bench.data.readers.chexpert.labels import FIVE, resolve_labels
from prior_bench.data.readers.siim_acr import reader as siim_acr
from prior_bench.data.splitting.fractions import training_part
from prior_bench.suites import protocols

FOLDER = Path(__file__).parents[2] / "results" / "splits"
PROTOCOLS = {
    "rsna_pneumonia": ("mgca/linear_rsna", "mgca/segmentation_rsna", "benchx/finetune_rsna"),
    "siim_acr": ("mgca/segmentation_siim",),
    "chexpert": ("mgca/linear_chexpert",),
}
"""Protocols whose splits and fractions are kept, by data set."""
KEPT_WHOLE = 6000
"""Lists with at most so many images are kept in full, larger ones as count and hash."""
HASH_ONLY = ("chexpert", "chexpert_5x200")
"""Data sets whose agreement forbids redistribution: no ids are kept."""


def annotations() -> Path:
    """Folder with the annotation files; the package itself is not imported."""
    return Path(find_spec("torchxrayvision").origin).parent / "data"


def rsna(rule: str, folder: Path) -> Manifest:
    """RSNA Pneumonia, split by ``rule``."""
    with tempfile.TemporaryDirectory() as unpacked:
        with zipfile.ZipFile(folder / "kaggle_stage_2_train_labels.csv.zip") as archive:
            archive.extract("stage_2_train_labels.csv", unpacked)
        table = rsna_pneumonia.read_labels(Path(unpacked) / "stage_2_train_labels.csv")
    table = rsna_pneumonia.RULES[rule](table)
    return Manifest("rsna_pneumonia", folder, table, labels=(rsna_pneumonia.LABEL,), split_rule=rule)


def siim(rule: str, folder: Path) -> Manifest:
    """SIIM-ACR, split by ``rule``."""
    table = siim_acr.RULES[rule](siim_acr.read_runs(folder / "siim-pneumothorax-train-rle.csv.gz"))
    table = table.assign(image=table["image_id"])
    return Manifest("siim_acr", folder, table, labels=(siim_acr.LABEL,), split_rule=rule)


def chexpert_train(rule: str, folder: Path) -> Manifest:
    """CheXpert's frontal images, split by ``rule``; valid.csv, the test set, is not among the files."""
    table = chexpert.RULES[rule](_chexpert_table(folder))
    table = table[table["frontal"]].reset_index(drop=True)
    values = pd.DataFrame(resolve_labels(table, FIVE, "gloria"))
    return Manifest("chexpert", folder, table.assign(**values), labels=FIVE, split_rule=rule)


def _chexpert_table(folder: Path) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as linked:
        (Path(linked) / "train.csv.gz").symlink_to(folder / "chexpert_train.csv.gz")
        return chexpert.read_labels(Path(linked), "train")


READERS = {"rsna_pneumonia": rsna, "siim_acr": siim, "chexpert": chexpert_train}


def lists(folder: Path) -> Iterator[tuple[dict[str, object], list[str]]]:
    """What is said of each list (data set, rule, protocol, part, share, images, positives), and its ids."""
    for data_set, names in PROTOCOLS.items():
        for name in names:
            protocol = protocols.load(name)
            rule = protocol.split["rule"]
            manifest = READERS[data_set](rule, folder)
            for part in ("train", "valid", "test"):
                if (manifest.table["split"] == part).any():
                    yield _list(data_set, rule, "", part, 1.0, manifest.split(part))
            train = manifest.split("train")
            for share in (0.01, 0.1, *([1.0] if protocol.fraction_sampler.get("balanced") else [])):
                rows = training_part(train, protocol.fraction_sampler, share, 42)
                yield _list(data_set, rule, name, "train", share, rows)
    table = _chexpert_table(folder)
    drawn = chexpert_5x200.exclusive_draw(table[table["frontal"]], per_class=200, seed=0)
    values = {name: drawn["finding"].eq(name) for name in FIVE}
    manifest = Manifest(
        "chexpert_5x200", folder, drawn.drop(columns=list(FIVE)).assign(**values), labels=FIVE
    )
    yield _list("chexpert_5x200", "mgca", "", "test", 1.0, manifest)


def _list(
    data_set: str, rule: str, protocol: str, part: str, share: float, rows: Manifest
) -> tuple[dict[str, object], list[str]]:
    ids = list(rows.table["id"])
    said = {
        "data": data_set,
        "rule": rule,
        "protocol": protocol,
        "part": part,
        "share": share,
        "images": len(ids),
        "positives": int((rows.targets()[:, 0] == 1).sum()),
        "sha256": hashlib.sha256("\n".join(ids).encode()).hexdigest(),
    }
    return said, ids


def file_of(said: dict[str, object]) -> str:
    """Name of the file with the ids; empty where the list is kept as count and hash only."""
    if said["images"] > KEPT_WHOLE or said["data"] in HASH_ONLY:
        return ""
    draw = f"-{100 * said['share']:g}percent" if said["protocol"] else ""
    user = f"-{str(said['protocol']).replace('/', '_')}" if said["protocol"] else ""
    return f"{said['data']}-{said['rule']}{user}-{said['part']}{draw}.txt.gz"


def main() -> None:
    """Write all lists and the table of them."""
    rows = []
    for said, ids in lists(annotations()):
        if name := file_of(said):
            # without a time stamp, so that equal lists are equal files
            (FOLDER / name).write_bytes(gzip.compress("\n".join(ids).encode(), mtime=0))
        rows.append({**said, "file": name})
    pd.DataFrame(rows).to_csv(FOLDER / "splits.csv", index=False)


if __name__ == "__main__":
    main()
