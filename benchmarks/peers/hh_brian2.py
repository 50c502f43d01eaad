"""The Hodgkin-Huxley population in brian2's C++ standalone mode, with its default compiler flags.

Only the loop over the steps is timed, by the clock of the generated program itself: code generation,
compilation, the start of the program and the writing of its results are left out.
"""

import argparse
import tempfile

from _serve import DT, MAX_CURRENT, THRESHOLD, Prepared, main, parser

EQUATIONS = """
dV/dt = (I - 120*m**3*h*(V - 115) - 36*n**4*(V + 12) - 0.3*(V - 10.613))/ms : 1
dm/dt = (alpha_m*(1 - m) - beta_m*m)/ms : 1
dh/dt = (alpha_h*(1 - h) - beta_h*h)/ms : 1
dn/dt = (alpha_n*(1 - n) - beta_n*n)/ms : 1
alpha_m = {alpha_m} : 1
beta_m = 4*exp(-V/18) : 1
alpha_h = 0.07*exp(-V/20) : 1
beta_h = 1/(exp((30 - V)/10) + 1) : 1
alpha_n = {alpha_n} : 1
beta_n = 0.125*exp(-V/80) : 1
I : 1 (constant)
"""

# moves x off the one point where x/(exp(x) - 1) is 0/0
_NUDGED_M = "((25 - V)/10 + 1e-7*int(abs(25 - V) < 1e-6))"
_NUDGED_N = "((10 - V)/10 + 1e-7*int(abs(10 - V) < 1e-6))"

RATES = {
    "exprel": ("1/exprel((25 - V)/10)", "0.1/exprel((10 - V)/10)"),
    "guarded": (f"{_NUDGED_M}/(exp({_NUDGED_M}) - 1)", f"0.1*{_NUDGED_N}/(exp({_NUDGED_N}) - 1)"),
    "plain": ("0.1*(25 - V)/(exp((25 - V)/10) - 1)", "0.01*(10 - V)/(exp((10 - V)/10) - 1)"),
}
"""Ways to write alpha_m and alpha_n.

``exprel`` is what brian2's own examples use. ``guarded`` avoids its branches and is somewhat faster.
``plain`` is 0/0 at 25 and at 10 mV, which a few of 1e5 neurons do hit in float32.
"""


def build(options: argparse.Namespace) -> Prepared:
    """Generate and compile the program in a temporary folder that goes away with the process."""
    import brian2
    import numpy as np

    folder = tempfile.TemporaryDirectory()
    device = brian2.device
    brian2.set_device("cpp_standalone", directory=folder.name, build_on_run=False)
    brian2.prefs.core.default_float_dtype = np.dtype(options.precision).type
    # 0 leaves OpenMP out of the generated code altogether
    brian2.prefs.devices.cpp_standalone.openmp_threads = options.threads if options.threads > 1 else 0
    brian2.defaultclock.dt = DT * brian2.ms

    alpha_m, alpha_n = RATES[options.rates]
    # being refractory for as long as V is above the threshold makes a spike of each upward crossing
    above = f"V > {THRESHOLD}"
    neurons = brian2.NeuronGroup(
        options.n,
        EQUATIONS.format(alpha_m=alpha_m, alpha_n=alpha_n),
        threshold=above,
        refractory=above,
        method="exponential_euler",
    )
    neurons.I = np.linspace(0, MAX_CURRENT, options.n)
    for gate in "mhn":
        setattr(neurons, gate, f"alpha_{gate}/(alpha_{gate} + beta_{gate})")
    counter = brian2.SpikeMonitor(neurons, record=False)
    network = brian2.Network(neurons, counter)
    network.run(options.steps * brian2.defaultclock.dt, namespace={})
    device.build(directory=folder.name, run=False)

    def run() -> tuple[float, int]:
        # the folder is named through the closure, which also keeps it from being removed
        device.run(directory=folder.name, with_output=False, run_args=[])
        return device._last_run_time, int(counter.num_spikes)

    flags = brian2.prefs.codegen.cpp.extra_compile_args_gcc
    return Prepared(run, {"compiler_flags": " ".join(flags), "rates": options.rates})


if __name__ == "__main__":
    arguments = parser(__doc__)
    arguments.add_argument("--rates", choices=tuple(RATES), default="exprel")
    main("brian2", "brian2", build, arguments.parse_args())
