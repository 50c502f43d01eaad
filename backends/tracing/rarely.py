"""Find what changes only every fourth step: random words, four of which one call of a generator gives.

A kernel keeps them from step to step and computes them anew when their time has passed.
"""

from __future__ import annotations

from collections.abc import Sequence

from neurosim.backends.tracing.evaluate import needed
from neurosim.backends.tracing.graph import Graph
from neurosim.backends.tracing.program_trace import Level, Trace

SHIFT = 2  # step >> SHIFT is the same for four steps
_MASK = 0xFFFFFFFF
_WORTH_KEEPING = 40  # operations


def every_fourth_step(trace: Trace) -> tuple[list[int], list[int]]:
    """Words of 32 bits to keep, and the operations per lane that compute them, in order."""
    graph, hoisted = trace.graph, set(trace.hoisted)
    rare: dict[int, bool] = {}
    for index in [*sorted(hoisted), *needed(graph, (*trace.state, trace.event, *trace.observables), given=hoisted)]:
        node = graph.nodes[index]
        if index in hoisted or node.op == "constant":
            rare[index] = True
        elif node.op == "input":
            rare[index] = node.payload == "lane"
        else:
            rare[index] = _shifted_step(graph, index) or all(rare[i] for i in node.args)
    outputs = {*trace.state, trace.event, *trace.observables}
    read = {a for i in rare if not rare[i] for a in graph.nodes[i].args} | outputs
    words = set()
    for index in read:
        while graph.nodes[index].op == "astype" and rare.get(index):  # the conversion is cheap, and wider than a word
            index = graph.nodes[index].args[0]
        kept = rare.get(index) and trace.levels[index] is Level.VARYING and _is_word(graph, index)
        if kept and len(needed(graph, [index], given=hoisted)) > _WORTH_KEEPING:
            words.add(index)
    inside = needed(graph, words, given=hoisted)
    skip = ("input", "constant")
    return sorted(words), [i for i in inside if trace.levels[i] is Level.VARYING and graph.nodes[i].op not in skip]


def choices(trace: Trace, words: Sequence[int]) -> dict[int, tuple[int, int, int]]:
    """Nodes that choose one of the words by the step: condition, and the two chosen from, words or other choices.

    Which one, is known before the loop over lanes.
    """
    graph, found, same = trace.graph, {}, set(words)
    for index, node in enumerate(graph.nodes):
        if node.op == "astype" and node.args[0] in words:
            same.add(index)
        elif node.op == "where" and trace.levels[node.args[0]] is Level.STEP:
            condition, a, b = node.args
            if all(i in same or i in found for i in (a, b)):
                found[index] = condition, a, b
    return found


def _shifted_step(graph: Graph, index: int) -> bool:
    node = graph.nodes[index]
    if node.op != "bitwise_right_shift":
        return False
    of, by = (graph.nodes[i] for i in node.args)
    return of.op == "input" and of.payload == "step" and by.op == "constant" and int(by.payload) >= SHIFT


def _is_word(graph: Graph, index: int) -> bool:
    node = graph.nodes[index]
    constants = [graph.nodes[i].payload for i in node.args if graph.nodes[i].op == "constant"]
    return node.op == "bitwise_and" and node.dtype == "int64" and _MASK in constants
