"""Records of parameters: checked, frozen, abstract or final."""

import dataclasses
from dataclasses import field

import numpy as np
import pytest

from neurosim import param
from neurosim.models import LIF
from neurosim.parameters import Parameters, bind, check_length, is_number, parameters


class Thing(Parameters):
    """A record with parameters and an option."""

    size: float = param(2.0, "mm", "how large", above=0.0)
    offset: float = param(0.0, "mm", "where", at_least=-1.0)
    style: str = field(default="plain")


class Needy(Parameters):
    """A record without defaults."""

    size: float = param(unit="mm", doc="how large")


def test_a_record_is_a_frozen_dataclass_without_saying_so():
    thing = Thing(3)
    assert dataclasses.is_dataclass(Thing)
    assert thing.size == 3.0
    assert isinstance(thing.size, float)
    with pytest.raises(dataclasses.FrozenInstanceError):
        thing.size = 4.0


def test_what_is_known_about_a_parameter():
    info = parameters(Thing)
    assert list(info) == ["size", "offset"], "options are no parameters"
    assert (info["size"].unit, info["size"].doc, info["size"].above) == ("mm", "how large", 0.0)
    assert Thing().values() == {"size": 2.0, "offset": 0.0}


def test_arrays_are_copied_and_cannot_be_written():
    sizes = np.array([1.0, 2.0])
    thing = Thing(sizes)
    sizes[0] = 5.0
    np.testing.assert_array_equal(thing.size, [1.0, 2.0])
    assert thing.size.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        thing.size[0] = 3.0


def test_it_prints_what_differs_from_the_defaults():
    assert repr(Thing()) == "Thing()"
    assert repr(Thing(3.0, style="fancy")) == "Thing(size=3.0, style='fancy')"
    assert repr(Thing(np.ones(1000))) == "Thing(size=<1000 values>)"


def test_replace(refuses):
    thing = Thing().replace(offset=1.5)
    assert (thing.size, thing.offset) == (2.0, 1.5)
    with refuses("Thing has no parameter 'ofset': did you mean 'offset'? known: offset, size, style"):
        thing.replace(ofset=1.0)
    with refuses("Thing.size = -1 mm: must be finite and above 0"):
        thing.replace(size=-1.0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.0, "Thing.size = 0 mm: must be finite and above 0"),
        (-1, "Thing.size = -1 mm: must be finite and above 0"),
        (np.nan, "Thing.size = nan mm: must be finite and above 0"),
        ([1.0, np.inf], "Thing.size[1] = inf mm: must be finite and above 0"),
        ([[1.0]], "Thing.size has shape (1, 1): give a float or one value per neuron, shape (n,)"),
        ("wide", "Thing.size = 'wide' is no number: give a float or one float per neuron"),
        ("2", "Thing.size = '2' is no number"),
        (None, "Thing.size = None is no number"),
        ([1.0, [2.0]], "Thing.size = [1.0, [2.0]] is no number"),
        (1j, "Thing.size = 1j is no number"),
    ],
)
def test_values_that_cannot_be(refuses, value, message):
    with refuses(message):
        Thing(size=value)


def test_inclusive_bounds(refuses):
    assert Thing(offset=-1.0).offset == -1.0
    with refuses("Thing.offset = -1.5 mm: must be finite and at least -1"):
        Thing(offset=-1.5)


def test_parameters_without_a_default_must_be_given():
    assert Needy(1.0).size == 1.0
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'size'"):
        Needy()


def test_complete_classes_are_not_subclassed(refuses):
    with refuses(
        "Mine derives from the complete class LIF: use LIF(…) with other parameters, or write a class of its own",
        error=TypeError,
    ):

        class Mine(LIF):
            pass


def test_abstract_classes_are():
    class Shape(Parameters):
        abstract = True
        size: float = param(1.0)

    class Circle(Shape):
        roundness: float = param(1.0)

    assert list(parameters(Circle)) == ["size", "roundness"]


def test_bind_puts_arrays_in_place_of_parameters_and_keeps_the_rest():
    bound = bind(Thing(style="fancy"), {"size": "a traced value"})
    assert (bound.size, bound.offset, bound.style) == ("a traced value", 0.0, "fancy")
    assert type(bound) is Thing


def test_length_per_neuron(refuses):
    check_length("here", Thing([1.0, 2.0]), 2)
    with refuses("here: Thing.size has 2 values for 3 neurons: give a float or an array of shape (3,)"):
        check_length("here", Thing([1.0, 2.0]), 3)


@pytest.mark.parametrize("value", [1, 1.5, np.float32(2), np.int64(3), -1e300])
def test_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize("value", [True, None, "1", 1j, np.nan, np.inf, [1.0], np.array(1.0), np.True_])
def test_what_is_no_number(value):
    assert not is_number(value)
