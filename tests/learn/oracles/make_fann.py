"""Make fann.json: paths of the C library FANN for quickProp and iRprop−.

Needs FANN 2.2.0, Debian's libfann2: ``python tests/learn/oracles/make_fann.py [libdoublefann.so.2]``. Tests read the
result and do not need the library. Only its functions are called; nothing of its code is here.

A 2-3-1 network, tanh and a linear output, on six samples in double precision. FANN holds rates as single-precision
numbers, hence rates that are such numbers.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

from oracle_files import write

FILE = Path(__file__).parent / "fann.json"
SIZES = (2, 3, 1)
X = [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0], [0.5, 0.25], [-0.25, 0.75], [0.125, -0.5], [-0.5, -0.25]]
TARGET = [[-0.5], [0.5], [0.5], [-0.5], [0.25], [0.125], [-0.25], [0.375]]
# of 0.weight (2, 3), 0.bias (3,), 1.weight (3, 1), 1.bias (1,)
START = [0.31, -0.22, 0.17, 0.05, 0.41, -0.36, 0.11, -0.07, 0.19, 0.27, -0.33, 0.45, 0.02]

LINEAR, TANH = 0, 5
RPROP, QUICKPROP = 2, 3
LINEAR_ERROR = 0

# name → algorithm, epochs, setters. FANN departs from the papers, and the paths end before, in three things: it takes
# the derivative of tanh as if |tanh| were at most 0.98; where a gradient changes its sign its iRprop− adds Δ to the
# weight, where the paper leaves it; and it lets Δ grow where there is nothing to compare, as in the first epoch.
CASES = {
    "quickprop": (QUICKPROP, 35, {"learning_rate": 0.03125, "quickprop_mu": 1.75, "quickprop_decay": 0.0}),
    "quickprop with decay": (QUICKPROP, 40, {"learning_rate": 0.25, "quickprop_mu": 1.5, "quickprop_decay": -0.0625}),
    "irprop-": (
        RPROP,
        15,
        {
            "rprop_increase_factor": 1.25,
            "rprop_decrease_factor": 0.5,
            "rprop_delta_zero": 0.000244140625,
            "rprop_delta_min": 0.0,
            "rprop_delta_max": 50.0,
        },
    ),
}


class TrainData(ctypes.Structure):
    """struct fann_train_data of fann_train.h."""

    _fields_ = (
        ("errno_f", ctypes.c_int),
        ("error_log", ctypes.c_void_p),
        ("errstr", ctypes.c_char_p),
        ("num_data", ctypes.c_uint),
        ("num_input", ctypes.c_uint),
        ("num_output", ctypes.c_uint),
        ("input", ctypes.POINTER(ctypes.POINTER(ctypes.c_double))),
        ("output", ctypes.POINTER(ctypes.POINTER(ctypes.c_double))),
    )


class Connection(ctypes.Structure):
    """struct fann_connection of fann_data.h."""

    _fields_ = (("from_neuron", ctypes.c_uint), ("to_neuron", ctypes.c_uint), ("weight", ctypes.c_double))


def loaded(path):
    """The library with the types of what is called."""
    fann = ctypes.CDLL(path)
    fann.fann_create_standard_array.restype = ctypes.c_void_p
    fann.fann_create_train.restype = ctypes.POINTER(TrainData)
    fann.fann_train_epoch.restype = ctypes.c_float
    fann.fann_train_epoch.argtypes = (ctypes.c_void_p, ctypes.POINTER(TrainData))
    fann.fann_set_weight.argtypes = (ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_double)
    fann.fann_get_connection_array.argtypes = (ctypes.c_void_p, ctypes.POINTER(Connection))
    for part in ("hidden", "output"):
        getattr(fann, f"fann_set_activation_function_{part}").argtypes = (ctypes.c_void_p, ctypes.c_int)
        getattr(fann, f"fann_set_activation_steepness_{part}").argtypes = (ctypes.c_void_p, ctypes.c_double)
    for name in ("fann_set_training_algorithm", "fann_set_train_error_function"):
        getattr(fann, name).argtypes = (ctypes.c_void_p, ctypes.c_int)
    for _, _, setters in CASES.values():
        for name in setters:
            getattr(fann, f"fann_set_{name}").argtypes = (ctypes.c_void_p, ctypes.c_float)
    return fann


def edges():
    """(from, to) of each number of START. FANN counts inputs 0 and 1, bias 2, hidden 3 to 5, bias 6, output 7."""
    n_in, n_hidden, n_out = SIZES
    hidden, outputs = range(n_in + 1, n_in + 1 + n_hidden), range(n_in + n_hidden + 2, n_in + n_hidden + 2 + n_out)
    return [
        *((i, h) for i in range(n_in) for h in hidden),
        *((n_in, h) for h in hidden),
        *((h, o) for h in hidden for o in outputs),
        *((n_in + 1 + n_hidden, o) for o in outputs),
    ]


def path_of(fann, algorithm, epochs, setters):
    """Weights before and after each epoch, in the order of START."""
    ann = ctypes.c_void_p(fann.fann_create_standard_array(len(SIZES), (ctypes.c_uint * len(SIZES))(*SIZES)))
    fann.fann_set_activation_function_hidden(ann, TANH)
    fann.fann_set_activation_function_output(ann, LINEAR)
    fann.fann_set_activation_steepness_hidden(ann, 1.0)
    fann.fann_set_activation_steepness_output(ann, 1.0)
    fann.fann_set_train_error_function(ann, LINEAR_ERROR)
    fann.fann_set_training_algorithm(ann, algorithm)
    for name, value in setters.items():
        getattr(fann, f"fann_set_{name}")(ann, value)
    for (a, b), weight in zip(edges(), START, strict=True):
        fann.fann_set_weight(ann, a, b, weight)
    data = fann.fann_create_train(len(X), SIZES[0], SIZES[-1])
    for k, (x, target) in enumerate(zip(X, TARGET, strict=True)):
        for place, values in ((data.contents.input[k], x), (data.contents.output[k], target)):
            for j, value in enumerate(values):
                place[j] = value
    path = [START]
    for _ in range(epochs):
        fann.fann_train_epoch(ann, data)
        found = (Connection * len(START))()
        fann.fann_get_connection_array(ann, found)
        weights = {(c.from_neuron, c.to_neuron): c.weight for c in found}
        path.append([weights[edge] for edge in edges()])
    return path


def main():
    fann = loaded(sys.argv[1] if len(sys.argv) > 1 else "libdoublefann.so.2")
    found = {
        name: {"options": setters, "path": path_of(fann, algorithm, epochs, setters)}
        for name, (algorithm, epochs, setters) in CASES.items()
    }
    text = {"library": "FANN 2.2.0, double precision", "sizes": SIZES, "x": X, "target": TARGET, "cases": found}
    write(FILE, text)


if __name__ == "__main__":
    main()
