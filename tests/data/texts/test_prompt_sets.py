"""The shipped prompt sets: their labels are exactly the readers' labels, and their prompts what they say."""

import ast
from pathlib import Path

import miniatures
import pandas as pd
import pytest
from layouts import LAYOUTS

from prior_bench.data.open import open_dataset
from prior_bench.data.readers import covidx, nih_chestxray14, rsna_pneumonia
from prior_bench.data.readers.chexpert.labels import FIVE, FOURTEEN
from prior_bench.data.readers.openi import files as openi_files
from prior_bench.data.readers.openi import reader as openi
from prior_bench.data.readers.siim_acr import reader as siim_acr
from prior_bench.data.readers.vindr_cxr import files as vindr
from prior_bench.data.texts import prompts
from prior_bench.public.listing import available
from prior_bench.registry import DATASETS

KAGGLE_VINDR = (
    "Aortic enlargement", "Atelectasis", "Calcification", "Cardiomegaly", "Consolidation", "ILD",
    "Infiltration", "Lung Opacity", "Nodule/Mass", "Other lesion", "Pleural effusion",
    "Pleural thickening", "Pneumothorax", "Pulmonary fibrosis",
)  # fmt: skip
PHYSIONET_VINDR = (
    *KAGGLE_VINDR, "Clavicle fracture", "Edema", "Emphysema", "Enlarged PA", "Lung cavity", "Lung cyst",
    "Mediastinal shift", "Rib fracture", "COPD", "Lung tumor", "Pneumonia", "Tuberculosis",
    vindr.SPELLINGS["Other disease"],
)  # fmt: skip
LABELS = {
    "chexpert5": FIVE,
    "chexpert14": FOURTEEN,
    "nih14": nih_chestxray14.FOURTEEN,
    "rsna": (rsna_pneumonia.LABEL,),
    "siim": (siim_acr.LABEL,),
    "covidx": covidx.THREE,
    "vindr": PHYSIONET_VINDR,
    "chexpert_5x200": FIVE,
}
"""The readers' labels by the first part of a set's name."""
CHOSEN = ("openi", "padchest")
"""Data sets whose labels a user chooses."""
OURS = [name for name in prompts.names() if name.rpartition("_")[0] in (*LABELS, *CHOSEN)]


@pytest.mark.parametrize("name", [name for name in OURS if name.rpartition("_")[0] not in CHOSEN])
def test_every_label_of_the_reader_has_prompts_and_none_is_unknown(name):
    assert sorted(prompts.load(name).classes) == sorted(LABELS[name.rpartition("_")[0]])


@pytest.mark.parametrize("stem", [stem for stem in (*LABELS, *CHOSEN) if stem != "chexpert_5x200"])
def test_every_data_set_has_pairs_and_an_ensemble_of_the_same_labels(stem):
    pairs, ensemble = prompts.load(f"{stem}_chexzero"), prompts.load(f"{stem}_ensemble")
    assert set(pairs.classes) == set(pairs.negatives) == set(ensemble.classes) == set(ensemble.negatives)
    assert pairs.style() == "pairs, 1 + 1"
    assert min(map(len, ensemble.classes.values())) >= 3 and min(map(len, ensemble.negatives.values())) >= 3


@pytest.mark.parametrize("name", prompts.names())
def test_a_set_is_named_like_its_file_and_says_where_it_is_from_and_for_which_data(name):
    found = prompts.load(name)
    assert found.name == name and len(found.source) > 20 and not found.own
    assert found.data and set(found.data) <= set(DATASETS.names())
    for kind in (found.classes, found.negatives):
        every = [prompt for texts in kind.values() for prompt in texts]
        assert not any("{" in prompt or "_" in prompt for prompt in every)
        if found.negatives:
            assert len(set(every)) == len(every), "a prompt of two labels, or twice"
    assert not {p for texts in found.classes.values() for p in texts} & {
        p for texts in found.negatives.values() for p in texts
    }


def test_templates_are_chexzeros_and_names_are_in_lower_case():
    found = prompts.load("chexpert14_chexzero")
    for label in FOURTEEN:
        assert found.classes[label] == (label.lower(),)
        assert found.negatives[label] == (f"no {label.lower()}",)
    assert prompts.load("nih14_chexzero").negatives["Pleural_Thickening"] == ("no pleural thickening",)


def test_labels_of_the_miniatures_are_known(tmp_path):
    """What the readers give of files, and not only their constants."""
    for kind in ("covidx", "nih_chestxray14", "siim_acr", "rsna_pneumonia", "chexpert", "chexpert_5x200"):
        layout, folder = LAYOUTS[kind], tmp_path / kind
        layout.make(folder)
        data = open_dataset(layout.reference(folder), split=layout.split)
        stems = [name for name in OURS if kind in prompts.load(name).data]
        assert len(stems) >= 2
        for name in stems:
            assert set(data.labels) <= set(prompts.load(name).classes), name


def test_terms_of_open_i_are_those_of_the_real_reports(real_annotations):
    terms = [term for report in openi_files.read_reports(real_annotations) for term in report.terms]
    counts = pd.Series(terms).value_counts()
    labels = list(prompts.load("openi_chexzero").classes)
    assert (counts.reindex(labels).fillna(0) >= 15).all()


def test_labels_of_padchest_are_in_its_table(real_annotations):
    place = next(Path(real_annotations).glob("PADCHEST_*.csv.gz"))
    rows = pd.read_csv(place, usecols=["Labels"])["Labels"].dropna()
    known = {label.strip() for row in rows.unique() for label in ast.literal_eval(row)}
    assert set(prompts.load("padchest_chexzero").classes) <= known


def test_findings_of_vinbigdata_are_those_of_the_real_table(real_annotations):
    known = set(pd.read_csv(real_annotations / "vinbigdata-train.csv.gz")["class_name"])
    assert known - {vindr.NO_FINDING} == set(KAGGLE_VINDR)


def test_open_i_is_read_with_the_labels_of_a_set(tmp_path):
    miniatures.openi(tmp_path)
    known = {term for report in openi_files.read_reports(tmp_path) for term in report.terms}
    labels = [label for label in prompts.load("openi_chexzero").classes if label in known]
    assert labels and openi.read(tmp_path, labels=labels).labels == tuple(labels)


def test_the_list_says_version_data_style_and_labels():
    lines = available("prompts")
    assert list(lines) == prompts.names()
    assert lines["nih14_chexzero"] == (
        "v1  nih_chestxray14  pairs, 1 + 1  14 labels: Atelectasis, Cardiomegaly, Effusion, …"
    )
    assert lines["rsna_biovil"].endswith("pairs, 4 + 4  1 label: Pneumonia")
    assert "classes, 15 to 210" in lines["chexpert_5x200_gloria"]
