"""Fixtures of the tests of learning."""

import pytest
from learning import ReadOnlyBackend


@pytest.fixture
def readonly():
    """A backend whose arrays cannot be written."""
    return ReadOnlyBackend()
