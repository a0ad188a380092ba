"""A state machine that builds, backpropagates, edits, recomputes, copies, compares and drops graphs in any order.

For every node it keeps a shadow, which records in plain Python how the node was computed. The shadow gives the correct
value and derivatives (by dual numbers, in forward mode), and whether the graph is stale.
"""

import copy
import math
import pickle

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

import tinygraph
from tinygraph import StaleGraphError, Value
from tinygraph.engine.graph import order

floats = st.floats(-2.0, 2.0, width=16)
# Each op, and the same op on pairs (value, derivative), which is an independent forward mode.
OPS = {
    "add": (tinygraph.add, lambda a, b: (a[0] + b[0], a[1] + b[1])),
    "sub": (tinygraph.sub, lambda a, b: (a[0] - b[0], a[1] - b[1])),
    "mul": (tinygraph.mul, lambda a, b: (a[0] * b[0], a[1] * b[0] + a[0] * b[1])),
    "atan": (tinygraph.atan, lambda a: (math.atan(a[0]), a[1] / (1 + a[0] ** 2))),
    "sin": (tinygraph.sin, lambda a: (math.sin(a[0]), a[1] * math.cos(a[0]))),
    "sigmoid": (
        tinygraph.sigmoid,
        lambda a: (1 / (1 + math.exp(-a[0])), a[1] * math.exp(-a[0]) / (1 + math.exp(-a[0])) ** 2),
    ),
}


class Shadow:
    """The way a node was computed: a leaf with its value, or an op with the shadows of its operands."""

    def __init__(self, node, number=None, op=None, operands=()):
        self.node, self.number, self.op, self.operands = node, number, op, operands
        self.seen = None if op is None else self.dual(None)[0]  # its value when it was last computed

    def dual(self, by):
        if self.op is None:
            return self.number, float(self is by)
        return OPS[self.op][1](*[x.dual(by) if isinstance(x, Shadow) else (x, 0.0) for x in self.operands])

    def shadows(self):
        found, stack = [self], [self]
        while stack:
            for x in stack.pop().operands:
                if isinstance(x, Shadow) and x not in found:
                    found.append(x)
                    stack.append(x)
        return found

    def leaves(self):
        return [x for x in self.shadows() if x.op is None]


class Machine(RuleBasedStateMachine):
    """Every rule checks its result, and the invariants are checked after every rule."""

    nodes = Bundle("nodes")

    def __init__(self):
        super().__init__()
        self.clock = 0
        self.made = {}  # shadow -> time when it was computed or edited
        self.alive = []

    def keep(self, shadow):
        self.clock += 1
        self.made[shadow] = self.clock
        self.alive.append(shadow)
        return shadow

    def stale(self, shadow):
        return any(self.made[y] > self.made[x] for x in shadow.shadows() for y in x.operands if isinstance(y, Shadow))

    @rule(target=nodes, x=floats)
    def leaf(self, x):
        return self.keep(Shadow(Value(x), number=x))

    @rule(target=nodes, op=st.sampled_from(["add", "sub", "mul"]), a=nodes, b=nodes | floats, swap=st.booleans())
    def binary(self, op, a, b, swap):
        operands = (b, a) if swap else (a, b)
        node = OPS[op][0](*[x.node if isinstance(x, Shadow) else x for x in operands])
        return self.record(node, op, operands)

    @rule(target=nodes, op=st.sampled_from(["atan", "sin", "sigmoid"]), a=nodes)
    def unary(self, op, a):
        return self.record(OPS[op][0](a.node), op, (a,))

    def record(self, node, op, operands):
        shadow = Shadow(node, op=op, operands=operands)
        shadow = self.keep(shadow)
        if not self.stale(shadow):
            assert node.data == pytest.approx(shadow.seen, rel=1e-12, abs=1e-12)
        return shadow

    @rule(shadow=nodes, x=floats)
    def edit(self, shadow, x):
        if shadow.op is None:
            shadow.node.data = x
            shadow.number = x
            self.clock += 1
            self.made[shadow] = self.clock
        else:
            with pytest.raises(AttributeError, match="read-only"):
                shadow.node.data = x

    @rule(shadow=nodes)
    def recompute(self, shadow):
        self.clock += 1
        moved = set()
        for x in sorted(shadow.shadows(), key=lambda x: len(x.shadows())):
            older = [y for y in x.operands if isinstance(y, Shadow) and (y in moved or self.made[y] > self.made[x])]
            if older:
                moved.add(x)
        for x in moved:
            self.made[x] = self.clock
        shadow.node.forward()
        assert shadow.node.data == pytest.approx(shadow.dual(None)[0], rel=1e-11, abs=1e-11)

    @rule(shadow=nodes, seed=st.floats(0.5, 2.0), accumulate=st.booleans())
    def backpropagate(self, shadow, seed, accumulate):
        leaves = shadow.leaves()
        before = [leaf.node.grad for leaf in leaves]
        if self.stale(shadow):
            with pytest.raises(StaleGraphError):
                shadow.node.backward(seed=seed, accumulate=accumulate)
            if accumulate:
                assert [leaf.node.grad for leaf in leaves] == before
            return
        shadow.node.backward(seed=seed, accumulate=accumulate)
        for leaf, old in zip(leaves, before, strict=True):
            expected = seed * shadow.dual(leaf)[1] + (old or 0.0) * accumulate
            assert leaf.node.grad == pytest.approx(expected, rel=1e-9, abs=1e-9)

    @rule(shadow=nodes)
    def differentiate(self, shadow):
        leaves = shadow.leaves()
        kept = [leaf.node.grad for leaf in leaves]
        if self.stale(shadow):
            with pytest.raises(StaleGraphError):
                tinygraph.grad(shadow.node, shadow.node)
            return
        partials = [shadow.dual(leaf)[1] for leaf in leaves]
        assert tinygraph.grad(shadow.node, [leaf.node for leaf in leaves]) == pytest.approx(
            partials, rel=1e-9, abs=1e-9
        )
        assert tinygraph.jvp(shadow.node, {leaf.node: 1.0 for leaf in leaves}) == pytest.approx(
            sum(partials), rel=1e-9, abs=1e-9
        )
        assert [leaf.node.grad for leaf in leaves] == kept

    @rule(shadow=nodes, way=st.sampled_from([copy.deepcopy, lambda node: pickle.loads(pickle.dumps(node))]))
    def copies(self, shadow, way):
        twin = way(shadow.node)
        pairs = list(zip(order(shadow.node), order(twin), strict=True))
        assert all((a.data, a.grad, a.op) == (b.data, b.grad, b.op) for a, b in pairs)
        assert not {id(a) for a, _ in pairs} & {id(b) for _, b in pairs}
        if self.stale(shadow):
            with pytest.raises(StaleGraphError):
                twin.backward()
        else:
            twin.backward()

    @rule(a=nodes, b=nodes)
    def compare(self, a, b):
        """Compare leaves that are not edited later: after a flip, every forward() would correctly raise an error."""
        assert (a.node.data < b.node.data) is not (a.node.data >= b.node.data)
        assert (a.node == b.node) is (a is b)

    @precondition(lambda self: len(self.alive) > 3)
    @rule(shadow=consumes(nodes))
    def drop(self, shadow):
        if shadow in self.alive:
            self.alive.remove(shadow)

    @invariant()
    def no_pass_leaves_a_count(self):
        assert all(node.awaited <= 0 for shadow in self.alive for node in order(shadow.node))

    @invariant()
    def a_fresh_graph_has_the_numbers_of_its_program(self):
        for shadow in self.alive[-3:]:
            if not self.stale(shadow):
                assert shadow.node.data == pytest.approx(shadow.dual(None)[0], rel=1e-11, abs=1e-11)


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestMachine = Machine.TestCase
