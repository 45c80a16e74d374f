"""Captions say what was resampled: patients, or images where the data set knows no patients."""

import numpy as np
from scored_store import predictions, save

from prior_bench.report.runs.draws import load_predictions
from prior_bench.report.runs.units import BOTH, IMAGE, PATIENT, one_per_data_set, unit_of, unit_of_several
from prior_bench.store.store import Store


def by_image(run):
    """The run with every image a patient of its own."""
    arrays = predictions(1.0, 0)
    run.store.save(run.record, {**arrays, "patient_id": arrays["id"]})
    load_predictions.cache_clear()
    return run


def test_images_where_every_patient_is_an_image(tmp_path):
    known, unknown = save(Store(tmp_path / "a"), "A", 1.0), by_image(save(Store(tmp_path / "b"), "A", 1.0))
    assert (unit_of(known), unit_of(unknown)) == (PATIENT, IMAGE)
    assert unit_of_several([known, unknown]) == BOTH and unit_of_several([unknown]) == IMAGE
    assert unit_of_several([]) == PATIENT and len(one_per_data_set([known, known])) == 1
    assert not np.array_equal(predictions(1.0, 0)["id"], predictions(1.0, 0)["patient_id"])
