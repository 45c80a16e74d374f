import pytest


@pytest.fixture(autouse=True)
def own_parts(parts):
    """Every test here runs with the fake parts and with roots of its own."""
