"""A neuron of one's own: leaky integrate-and-fire with a threshold that each spike raises."""

from typing import Annotated, NamedTuple

from neurosim import Constant, Network, NeuronModel, Population, Record, param, simulate


class AdaptiveThreshold(NeuronModel):
    class State(NamedTuple):
        v: Annotated[object, "mV"]
        theta: Annotated[object, "mV"]  # the threshold

    tau_m: float = param(10.0, "ms", "membrane time constant", above=0.0)
    jump: float = param(5.0, "mV", "rise of the threshold by a spike")

    def init(self, xp):
        return self.State(v=-65.0, theta=-50.0)

    def derivatives(self, xp, s, i_syn):
        return self.State(v=(-65.0 - s.v + 10.0 * i_syn) / self.tau_m, theta=(-50.0 - s.theta) / 50.0)

    def threshold(self, xp, s):
        return s.v > s.theta

    def reset(self, xp, s):
        return self.State(v=-65.0, theta=s.theta + self.jump)


cells = Population("cells", AdaptiveThreshold(jump=[0.0, 5.0]), 2, stimuli=(Constant(3.0),))
result = simulate(Network((cells,)), duration=200.0, dt=0.1, record=Record("cells", "spikes"))
