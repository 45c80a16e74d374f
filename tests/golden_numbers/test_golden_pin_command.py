"""The command that pins: new cases and raised versions only, never over a number that changed by itself."""

import json

import declared_parts
import pin
import pins
import pytest
from golden_case import Case


@pytest.fixture
def numbers(tmp_path, monkeypatch):
    """What the only case of the only kind gives; its pins are in a folder of the test's own."""
    found = {"dice": 0.5}
    monkeypatch.setattr(pins, "FOLDER", tmp_path)
    monkeypatch.setattr(pin, "KINDS", {"planted": [Case("one", ("images",), lambda folder: found)]})
    return found


def pinned(folder):
    return json.loads((folder / "planted.json").read_text())


def test_a_new_case_is_pinned_and_one_that_is_no_more_is_left_out(numbers, tmp_path):
    pins.write("planted", {"gone": {"versions": {}, "numbers": {}}})
    assert pin.pin("planted") == []
    assert pinned(tmp_path) == {"one": {"versions": {"images": 1}, "numbers": {"dice": 0.5}}}


def test_a_changed_number_is_pinned_only_after_its_version_was_raised(numbers, tmp_path, monkeypatch):
    pin.pin("planted")
    numbers["dice"] = 0.6
    assert "dice: 0.5 pinned, 0.6 found" in pin.pin("planted")[0]
    assert pinned(tmp_path)["one"]["numbers"] == {"dice": 0.5}
    monkeypatch.setattr(declared_parts, "versions", lambda parts: {"images": 2})
    assert pin.pin("planted") == []
    assert pinned(tmp_path)["one"] == {"versions": {"images": 2}, "numbers": {"dice": 0.6}}


def test_a_number_within_tolerance_is_not_written_again(numbers, tmp_path):
    pin.pin("planted")
    numbers["dice"] = 0.500001
    assert pin.pin("planted") == [] and pinned(tmp_path)["one"]["numbers"] == {"dice": 0.5}
