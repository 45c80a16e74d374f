from pathlib import Path

import pytest

from benchmarks import plan

PAGE = Path(plan.__file__).parents[1] / "docs" / "scaling.md"


def test_a_resnet_takes_what_is_known_of_it():
    forward, trained = plan.operations_of_image(plan.Released("resnet50", 224))
    assert forward == pytest.approx(2 * 4.09e9, rel=0.02)  # its multiplications and additions
    assert trained == pytest.approx(3 * forward, rel=0.05)


def test_a_larger_input_costs_by_its_area_where_the_protocol_states_it():
    row, images = plan.Released("resnet50", 224), plan.Passes(forward=10, frozen=6, trained=1)
    own = plan._operations({None: images}, row, 1.0, 3.0)
    assert own == pytest.approx(10 + 6 / 0.6 + 3)
    assert plan._operations({448: images}, row, 1.0, 3.0) == pytest.approx(4 * own)


@pytest.mark.slow
def test_the_page_has_what_the_command_prints():
    assert plan.page(plan.SUSTAINED) in PAGE.read_text("utf-8")
