"""Connectors: which neurons of one population reach which of another.

>>> from neurosim import connect
>>> connect.fixed_probability(0.02)
FixedProbability(p=0.02)

``CONNECTORS`` holds each by the name that users write.
"""

from neurosim.connect.base import CONNECTORS, Connector, Ends, Pattern, register
from neurosim.connect.distance import DistanceDependent as distance_dependent
from neurosim.connect.explicit import FromArrays as from_arrays
from neurosim.connect.explicit import FromFile as from_file
from neurosim.connect.explicit import FromMatrix as from_matrix
from neurosim.connect.kernels import Box as box
from neurosim.connect.kernels import ExponentialDecay as exponential
from neurosim.connect.kernels import Gaussian as gaussian
from neurosim.connect.kernels import Kernel
from neurosim.connect.random import FixedInDegree as fixed_in_degree
from neurosim.connect.random import FixedOutDegree as fixed_out_degree
from neurosim.connect.random import FixedProbability as fixed_probability
from neurosim.connect.random import FixedTotalNumber as fixed_total_number
from neurosim.connect.regular import AllToAll as all_to_all
from neurosim.connect.regular import OneToOne as one_to_one

__all__ = [
    "CONNECTORS",
    "Connector",
    "Ends",
    "Kernel",
    "Pattern",
    "all_to_all",
    "box",
    "distance_dependent",
    "exponential",
    "fixed_in_degree",
    "fixed_out_degree",
    "fixed_probability",
    "fixed_total_number",
    "from_arrays",
    "from_file",
    "from_matrix",
    "gaussian",
    "one_to_one",
    "register",
]
