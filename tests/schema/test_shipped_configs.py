"""Every shipped config is valid under its model, and its check changes nothing of it."""

import pytest

from prior_bench import paths
from prior_bench.schema.cluster import ClusterFile
from prior_bench.schema.errors import checked
from prior_bench.schema.protocol import AnyProtocol
from prior_bench.schema.reading import read_config
from prior_bench.schema.scale import ScaleConfig
from prior_bench.schema.suite import SuiteConfig
from prior_bench.schema.table import TableFile
from prior_bench.suites import protocols

MODELS = {"suites": SuiteConfig, "tables": TableFile, "scales": ScaleConfig, "cluster": ClusterFile}
SHIPPED = [
    (kind, path.stem)
    for kind in MODELS
    for path in sorted((paths.shipped("configs") / kind).glob("*.py"))
    if not path.stem.startswith("_")
]


def test_there_is_something_to_check():
    assert {kind for kind, _ in SHIPPED} == set(MODELS) and len(SHIPPED) > 30 and len(protocols.names()) > 50


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_a_suite_table_or_scale_is_valid(kind, name):
    values, path = read_config(name, kind)
    if kind == "suites":
        values.setdefault("name", path.stem)
    made = checked(MODELS[kind], values, where=path)
    assert made.model_fields_set >= {key for key in values if key in type(made).model_fields}


@pytest.mark.parametrize("name", protocols.names())
def test_a_protocol_is_valid_under_the_model_of_its_task(name):
    values = protocols.load(name).to_dict()
    model = protocols.model_of(values)
    assert model is not AnyProtocol, "the task declares a model of its own"
    made = checked(model, values, where=name)
    assert made.name == name and list(made.metrics) == list(values["metrics"])
    assert made.frozen.model_dump() == values["frozen"]
