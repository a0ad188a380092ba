"""Replay: a graph notices when a comparison that its program made has another outcome."""

import bisect
import copy
import heapq
import itertools
import math
import operator
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import FrozenBranchError, Tensor, Value
from tinygraph.engine import metadata, replay
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import order

NUMBERS = st.floats(-4.0, 4.0).map(lambda number: round(number, 1))
FUNCTIONS = {
    "times two": lambda x: x * 2.0,
    "square": lambda x: x * x,
    "shifted": lambda x: x + 1.0,
    "minus": lambda x: -x,
    "itself": lambda x: x,
    "exp": lambda x: x.exp(),
    "a number": lambda x: 0.5,
}
CHOICES = {
    "max": max,
    "min": min,
    "sorted": lambda x, y: sorted([x, y])[0],
    "if": lambda x, y: x if x > y else y * 3.0,
    "while": lambda x, y: y if not x > y else y * 2.0,
}
DATA = st.lists(st.tuples(st.sampled_from(sorted(CHOICES)), *[st.sampled_from(sorted(FUNCTIONS))] * 2), max_size=4)


def program(x, choices):
    """Record a program that branches on nodes that need not be in its graph."""
    y = x * 1.0
    for choice, left, right in choices:
        y = y + CHOICES[choice](FUNCTIONS[left](x), FUNCTIONS[right](y))
    return y


@given(choices=DATA, at=NUMBERS, to=st.lists(NUMBERS, min_size=1, max_size=3), scalar=st.booleans())
def test_a_replay_is_right_or_refused(choices, at, to, scalar):
    kind = Value if scalar else Tensor
    x = kind(at)
    y = program(x, choices)
    for number in to:
        x.data = number
        right = program(kind(number), choices).data
        try:
            found = y.forward().data
        except FrozenBranchError:
            with pytest.raises(tinygraph.StaleGraphError):
                y.backward()
        else:
            assert found == right or (math.isnan(found) and math.isnan(right))


def compare_and_edit(x, _, k):
    assert not x * 2.0 > k
    x.data = x.data - 1.0


@pytest.mark.parametrize("compare_again", [lambda x, z, k: z > k, lambda x, z, k: x * 2.0 > k, compare_and_edit])
def test_the_oldest_comparisons_of_nodes_outside_the_graph_are_not_forgotten(compare_again, monkeypatch):
    """They were dropped after the limit, so a replay gave 3 x without noticing that max(0, 2 x) was no longer 0."""
    monkeypatch.setattr(metadata, "LIMIT", 10)
    x = Value(-1.0)
    z = x * 2.0
    J = x * 3.0 + max(0.0, z)
    for k in range(40):
        compare_again(x, z, float(k))
    for record in (x.metadata.dependents, z.metadata.dependents):
        assert record is None or len(record.traces) <= 11
    x.data = 1.0
    assert len(x.metadata.before) == 11
    with pytest.raises(FrozenBranchError, match="every compared node"):
        J.forward()
    y = x * 3.0 + max(0.0, x * -1.0)
    x.data = 2.0
    with pytest.raises(FrozenBranchError, match="every compared node"):
        y.forward()  # its own comparison
    y = x * 3.0
    x.data = 1.0
    assert y.forward().data == 3.0


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(6, 13))
def test_the_one_comparison_that_matters_is_stored_or_represented(before, after, monkeypatch):
    """The other comparisons came before the last edit, or after the graph."""
    monkeypatch.setattr(metadata, "LIMIT", 10)
    x = Value(-2.0)
    for k in range(before):
        assert not x * 2.0 > k
    x.data = -1.0
    J = x * 3.0 + max(0.0, x * 2.0)
    for k in range(after):
        assert not x * 2.0 > k
    x.data = 1.0
    with pytest.raises(FrozenBranchError, match="every compared node"):
        J.forward()


@pytest.mark.parametrize("kind", [Value, Tensor])
@pytest.mark.parametrize("compare", [operator.lt, operator.gt])
def test_a_changed_comparison_that_is_dropped_still_fails(kind, compare, monkeypatch):
    monkeypatch.setattr(metadata, "LIMIT", 10)
    x = kind(1.0)
    compare(x, 0.0)
    J = x * 3.0
    x.data = -1.0
    for k in range(40):
        compare(x, 10.0 + k)
    for number in (-1.0, 1.0):
        x.data = number
        with pytest.raises(FrozenBranchError, match="one of the oldest comparisons"):
            J.forward()


@pytest.mark.parametrize("compare", [operator.lt, operator.gt])
def test_a_leaf_outside_the_graph_does_not_matter(compare):
    """Only the caller can know whether it gets another value."""
    x, other = Value(1.0), Value(0.0)
    assert compare(x, other) == compare(1.0, 0.0)
    J = x * 2.0
    x.data = 1.5
    assert J.forward().data == 3.0


@pytest.mark.parametrize(("kind", "text"), [(Value, "was False"), (Tensor, "was computed")])
def test_the_text_of_an_unknown_comparison_says_what_is_known(kind, text):
    x = kind([1.0, 2.0] if kind is Tensor else 1.0)
    mask = x * 2.0 > 5.0
    J = x * 3.0 * np.asarray(mask) if kind is Tensor else x * 3.0
    x.data = x.data * 2.0
    with pytest.raises(FrozenBranchError, match=f"> 5 {text} when this graph was recorded"):
        J.forward()


def test_a_comparison_from_another_process_is_not_in_the_future(monkeypatch):
    """Otherwise, a graph that is recorded after it could seem to be recorded before it."""
    z = Value(1.0) * 2.0
    for _ in range(5):
        assert z > 1.0
    content = pickle.dumps(z)
    monkeypatch.setattr(clock, "edits", 0)  # as in a process without edits
    monkeypatch.setattr(clock, "changed", 0)
    J = pickle.loads(content) * 3.0
    _leaf(J).data = -1.0
    with pytest.raises(FrozenBranchError, match="was True"):
        J.forward()


@pytest.mark.parametrize("above", [lambda z: z, lambda z: z + 1.0])
def test_a_stale_node_or_one_that_depends_on_it_is_compared_again(above):
    """The leaf did not lead to the new comparison, so a replay gave 3 x."""
    x = Value(-2.0)
    z = x * 2.0
    assert not z > 0.0
    x.data = -3.0
    J = x * 3.0 + max(0.0, above(z))
    x.data = 3.0
    with pytest.raises(FrozenBranchError, match="every compared node"):
        J.forward()


def test_an_edit_in_place_changes_a_comparison_outside_the_graph():
    x = Tensor([-1.0, 0.0])
    J = x.sum() * 3.0 + max(0.0, (x * 2.0).sum())
    x.data[0] = 1.0
    with pytest.raises(FrozenBranchError, match="every compared node"):
        J.forward()


@pytest.mark.parametrize("swapped", [False, True])
def test_an_edit_of_a_leaf_outside_the_graph_changes_the_other_side(swapped):
    x, v = Value(1.0), Value(-1.0)
    left, right = x * 2.0, v * 2.0
    J = max(right, left) * 1.0 if swapped else max(left, right) * 1.0
    v.data = 5.0
    with pytest.raises(FrozenBranchError, match="every compared node"):
        J.forward()


def test_a_comparison_outside_the_graph_is_known_until_its_leaf_is_edited():
    x, w = Value(-1.0), Value(1.0)
    J = x * w + max(0.0, x * 2.0)
    w.data = 3.0
    assert J.forward().data == -3.0


def test_the_time_of_a_leaf_does_not_matter():
    x, w = Value(1.0), Value(1.0)
    assert x * 2.0 > 0.0
    w.data = 2.0
    x.data = 3.0
    J = x * w
    x.data = 4.0
    assert J.forward().data == 8.0


@pytest.mark.parametrize("numbers", [(1.0, 2.0), (2.0, 1.0)])
def test_comparisons_of_several_numbers_with_a_node_on_the_right_are_kept(numbers):
    x = Value(0.0)
    assert [replay.ask(operator.lt, "{} < {}", (number, x)) for number in numbers] == [False, False]
    J = x * 3.0
    x.data = 1.5
    with pytest.raises(FrozenBranchError, match="1 < Value"):
        J.forward()


def test_a_comparison_matters_if_any_node_was_recorded_before_the_edit():
    """Only the root's time counted, and the root was recorded after the edit, so a replay gave x."""
    x = Value(-1.0)
    y = x + max(0.0, x * 2.0)
    x.data = -2.0
    J = y * 1.0
    x.data = 1.0
    with pytest.raises(FrozenBranchError, match="every compared node"):
        J.forward()


COMPARED = st.tuples(st.sampled_from(["max", "min", "if"]), st.sampled_from(["times two", "shifted", "minus"]))


@given(
    actions=st.lists(NUMBERS | COMPARED | st.none(), max_size=5),
    later=st.lists(COMPARED, max_size=3),
    at=NUMBERS,
    to=NUMBERS,
    limit=st.sampled_from([3, 1000]),
)
@settings(max_examples=400)
def test_a_replay_of_a_graph_that_was_recorded_between_edits_is_right_or_refused(actions, later, at, to, limit):
    """Nodes from before an edit are compared again after it, and are part of the same graph as newer nodes."""
    nodes = {}

    def record(x, actions):
        y = x * 1.0
        for action in actions:
            if isinstance(action, tuple):
                other = nodes.setdefault((x, action[1]), FUNCTIONS[action[1]](x))
                y = y + CHOICES[action[0]](0.0, other) * x
            elif action is None:
                y = y + 1.0
            else:
                x.data = action
        return y

    x = Value(at)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata, "LIMIT", limit)
        y = record(x, actions)
        record(x, later)
        for number in (to, to):
            x.data = number
            try:
                found = y.forward().data
            except FrozenBranchError:
                continue
            assert found == record(Value(to), [action for action in actions if not isinstance(action, float)]).data


@given(choices=DATA, at=NUMBERS, to=NUMBERS)
def test_a_compiled_function_is_right_or_refused(choices, at, to):
    x = Value(at)
    y = program(x, choices)
    right = program(Value(to), choices)
    right_gradient = tinygraph.grad(right, right.operands and _leaf(right))
    try:
        value, gradient = tinygraph.compile(y, x)(to)
    except FrozenBranchError:
        return
    assert value == pytest.approx(right.data, rel=1e-12, abs=1e-12)
    assert gradient == pytest.approx(right_gradient, rel=1e-12, abs=1e-12)


def _leaf(root):
    return next(node for node in tinygraph.engine.graph.order(root) if node.op is None)


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_comparison_of_a_node_that_is_not_in_the_graph_is_repeated(kind):
    x = kind(1.0, "x")
    J = max(x * 2.0, x * x) * 1.0
    x.data = 5.0
    for _ in range(2):
        with pytest.raises(FrozenBranchError):
            J.forward()
    x.data = 1.5  # the outcome would be the same, but nothing recomputes x * x
    with pytest.raises(FrozenBranchError, match="does not contain every compared node"):
        J.forward()
    J = max(x * 2.0, x + 4.0) * 1.0
    if kind is Value:
        with pytest.raises(FrozenBranchError, match="does not contain every compared node"):
            tinygraph.compile(J, x)


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_comparison_without_nodes_in_the_graph_is_noticed_by_its_leaves(kind):
    x, v = kind(1.0, "x"), kind(1.0, "v")
    y = x * 3.0 + max(0.0, x * 2.0 - 5.0)
    other = v * 2.0
    x.data = 2.0
    v.data = 3.0
    assert other.forward().data == 6.0
    for _ in range(2):
        with pytest.raises(FrozenBranchError, match=r"^(Value|Tensor)\(-3, op='\w+'\) > 0 .* every compared node"):
            y.forward()
    again = x * 3.0 + max(0.0, v * 2.0 - 5.0)  # v is not in this graph, so only the caller can know that it matters
    x.data = 1.0
    assert again.forward().data == 4.0
    x.data = 1.0
    y = x * 2.0  # recorded after x was edited, so the comparison above does not count
    x.data = 4.0
    assert y.forward().data == 8.0


def test_a_compiled_function_refuses_an_input_that_decided_a_comparison():
    x = Value(1.0, "x")
    y = x * max(x * -2.0, 0.0)
    with pytest.raises(FrozenBranchError, match="every compared node"):
        tinygraph.compile(y, [x])
    w = Value(3.0, "w")
    assert tinygraph.compile(y * w, [w])(2.0) == (0.0, (0.0,))


def test_a_loop_stores_each_comparison_once():
    """Each node of the chain depends on all comparisons before it, and all of them depend on x."""
    x, J, steps = Value(0.5), Value(0.0), 0
    while J < 200.0:
        J = J + x
        steps += 1
    stored = [x.metadata.dependents]
    for dependents in stored:
        stored += [consumer for consumer in dependents.consumers if consumer not in stored]
    assert sum(len(dependents.traces) for dependents in stored) == steps == 400
    twin = pickle.loads(pickle.dumps(J))
    assert twin.forward().data == 200.0
    leaf = next(node for node in tinygraph.engine.graph.order(twin) if node.op is None and node.data == 0.5)
    leaf.data = 0.6
    with pytest.raises(FrozenBranchError, match="no longer is"):
        twin.forward()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda y: pickle.loads(pickle.dumps(y))], ids=["copy", "pickle"])
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_copy_notices_a_comparison_outside_the_graph(kind, copied):
    x = kind(1.0, "x")
    y = x * 3.0 + max(0.0, x * 2.0 - 5.0)
    twin = copied(y)
    leaf = next(node for node in tinygraph.engine.graph.order(twin) if node.name == "x")
    y = leaf * 2.0
    leaf.data = 2.0
    with pytest.raises(FrozenBranchError, match="every compared node"):
        twin.forward()
    y = leaf * 2.0
    leaf.data = 3.0
    assert y.forward().data == 6.0


def test_a_recomputed_node_is_compared_again():
    x = Value(1.0, "x")
    z = x * 2.0 - 5.0
    assert not z > 0.0
    x.data = 2.0
    assert not z.forward() > 0.0
    y = x * 3.0 + max(0.0, z)
    x.data = 4.0
    with pytest.raises(FrozenBranchError, match="every compared node"):
        y.forward()


def test_masks_are_comparisons():
    for mask in (
        lambda x: x > 0,
        lambda x: np.greater(x, 0.0),
        lambda x: x.__gt__(0.0),
        lambda x: np.less(np.zeros(2), x),
    ):
        for use in (lambda x, found: x * found, lambda x, found: x[found], lambda x, found: x * 2 if found[0] else x):
            x = Tensor([2.0, -1.0])
            y = use(x, mask(x)).sum()
            x.data = np.array([3.0, -2.0])
            right = use(x.detach(), mask(x.detach())).sum().data
            assert y.forward().data == right
            x.data = np.array([-2.0, 1.0])
            with pytest.raises(FrozenBranchError, match="has another outcome"):
                y.forward()


def test_a_comparison_after_the_root_does_not_matter():
    for kind in (Value, Tensor):
        x = kind(2.0)
        A = x * x
        J = A + x
        for number in (3.0, 0.1, -5.0, 1.0):
            x.data = number
            J.forward()
            assert (A > 4.0) is not None
            assert (J * 2.0 > 1.0) is not None
            assert (x > 0.5) is not None
            assert J.data == number * number + number


def test_comparisons_of_earlier_recordings_do_not_matter():
    w = Value(1.0)
    for number in (1.0, -1.0, 2.0, -2.0):
        w.data = number
        J = (w * 2.0 if w * w > w else w * 3.0) + w
    w.data = 0.5
    with pytest.raises(FrozenBranchError):
        J.forward()
    w.data = -3.0
    assert J.forward().data == w.data * 3.0 if w.data**2 <= w.data else w.data * 2.0 + w.data


def test_a_compared_input_outside_the_graph_is_looked_at():
    x, w = Value(2.0, "x"), Value(1.0, "w")
    for y in (x * 3.0 if w > 0.0 else x, x * 3.0 if x > w else x):
        f = tinygraph.compile(y, [x, w])
        assert f(3.0, 2.0) == (9.0, (3.0, 0.0))
    with pytest.raises(FrozenBranchError, match="w > 0"):
        tinygraph.compile(x * 3.0 if w > 0.0 else x, [x, w])(3.0, -2.0)
    with pytest.raises(FrozenBranchError, match="x > w"):
        f(3.0, 4.0)
    w.data = 10.0
    with pytest.raises(FrozenBranchError, match="x > w"):
        y.forward()


def test_a_copy_does_not_lose_a_comparison():
    x = Value(1.0, "x")
    J = max(x * 2.0, x * x) * 1.0
    twin = copy.deepcopy(J)
    leaf = next(node for node in tinygraph.engine.graph.order(twin) if node.op is None)
    leaf.data = 5.0
    with pytest.raises(FrozenBranchError):
        twin.forward()


def test_arrays_of_comparisons_are_bounded():
    t = Tensor(np.arange(3.0))
    for _ in range(100):
        assert (t > np.zeros(3)).sum() == 2
    assert len(t.metadata.guards) == metadata.ARRAY_LIMIT == 16
    assert metadata.LIMIT == 1000


def test_leaves_store_no_arrays_of_comparisons():
    """A training loop with a mask stored an array for each of the last 1,000 steps."""
    x = Tensor(np.ones(1000), "x")
    for _ in range(3):
        h = x * 2.0
        assert (h * (h > 0.0)).sum().data == 2000.0
        x.data = x.data * 1.0
    assert len(x.metadata.before) == 3
    assert len(pickle.dumps(x)) < 12_000  # of which x takes 8,000


@pytest.mark.parametrize("make", [Value, Tensor])
def test_the_text_of_a_comparison_names_both_sides(make):
    x = make(2.0)
    y = x * 3.0 if x > 1.0 else x
    x.data = 0.5
    with pytest.raises(FrozenBranchError, match=r"^(Value|Tensor)\(2\) > 1 "):
        y.forward()


def test_a_comparison_keeps_a_lazy_array_lazy():
    da = pytest.importorskip("dask.array", reason="no dask: pip install -e '.[dask]'")
    computed = []

    def note(block):
        computed.append(block.shape)
        return block

    lazy = da.from_array(np.arange(4.0), chunks=2).map_blocks(note, dtype=float, meta=np.array([]))
    for t in (Tensor(lazy), Tensor(lazy).sum()):
        computed.clear()
        assert (t > 1.0).shape == t.shape
        assert computed == []


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_comparison_does_not_make_the_next_pass_look_for_stale_nodes(kind, monkeypatch):
    x = kind(2.0)
    y = x * x
    z = y * 3.0 + y if y > 1.0 else y
    assert z > 1.0

    def unexpected(nodes):
        raise AssertionError("no value was edited")

    with monkeypatch.context() as patch:
        patch.setattr("tinygraph.engine.backward.check_fresh", unexpected)
        z.backward()
    assert x.grad == 16.0
    x.data = 3.0
    with pytest.raises(tinygraph.StaleGraphError):
        z.backward()


# --- comparisons with NaN

FROM_C = {
    "max": max,
    "min": min,
    "sorted": sorted,
    "accumulate": lambda xs: [x for x in itertools.accumulate(xs, max)],  # noqa: C416  (the loop calls max)
    "heapify": lambda xs: heapq.heapify([*xs, *xs]),
    "bisect": lambda xs: [bisect.bisect([x], Value(0.75)) for x in xs],
    "operator.lt": lambda xs: [operator.lt(x, 0.75) for x in xs],
    **{
        f"np.{name}": getattr(np, name)
        for name in ("max", "min", "sort", "argmax", "argmin", "argsort", "median", "ptp", "nanmax", "unique")
    },
    "np.maximum.reduce": np.maximum.reduce,
    "np.fmin.reduce": np.fmin.reduce,
    "np.maximum": lambda xs: np.maximum(xs, xs[::-1]),
    "np.partition": lambda xs: np.partition(xs, 1),
    "np.searchsorted": lambda xs: [np.searchsorted(np.array([x]), Value(0.75)) for x in xs],
    "np.clip": lambda xs: np.clip(np.array(xs), 0.0, 0.75),
    "ndarray.max": lambda xs: np.array(xs).max(),
}


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("name", FROM_C)
def test_functions_that_order_values_do_not_drop_nan(name):
    numbers = [0.25, 0.5, 1.0]
    FROM_C[name](list(map(Value, numbers)))
    for place in range(3):
        nodes = [Value(math.nan if i == place else number) for i, number in enumerate(numbers)]
        with pytest.raises(ValueError, match="cannot order Values if one of them is NaN"):
            FROM_C[name](nodes)
        assert not any(node.metadata and node.metadata.guards for node in nodes if node.raw != node.raw)


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("nan", [math.nan, np.float64("nan"), np.float32("nan"), np.array(math.nan), Value(math.nan)])
def test_a_comparison_with_nan_that_is_written_out_is_false(nan):
    v, array = Value(2.0), np.array([Value(1.0), Value(3.0)])
    for outcome in (v < nan, v <= nan, v > nan, v >= nan, nan < v, nan <= v, nan > v, nan >= v, 1.0 < v < nan):
        assert outcome is False or (isinstance(outcome, np.bool_) and not outcome)
    for outcomes in (array < nan, array >= nan):
        assert not outcomes.any()
    assert [x for x in array if x > nan] == []
    assert not (v if v < nan else None)


# --- more comparisons than a node stores


@pytest.mark.parametrize("edit", ["before", "after"])
@pytest.mark.parametrize("count", [15, 16, 17, 40])
def test_no_mask_of_a_tensor_is_forgotten(count, edit):
    """A node stores its last 16 comparisons of arrays, and what stands for the older ones."""
    x = Tensor([0.5, 50.0], "x")
    y = (x * (x > 1.0)).sum()
    if edit == "before":
        x.data = np.array([1.5, 50.0])
    for k in range(count):
        x > k + 55.0  # noqa: B015
    if edit == "after":
        x.data[0] = 1.5
    with pytest.raises(FrozenBranchError, match=r"of x|x > 1"):
        y.forward()


def test_no_comparison_of_a_value_is_forgotten():
    x = Value(0.5, "x")
    y = x * 2.0 if x < 1.0 else x
    for k in range(1100):
        x < k + 5.0  # noqa: B015
    y.forward()  # nothing has changed
    x.data = 0.25
    with pytest.raises(FrozenBranchError, match="one of the oldest comparisons of x"):
        y.forward()


def test_comparisons_that_came_after_the_graph_may_be_forgotten():
    x = Value(0.5, "x")
    y = x * 2.0
    for k in range(1100):
        x < k + 5.0  # noqa: B015
    x.data = 3.0
    assert y.forward().data == 6.0


def test_a_saved_graph_keeps_what_stands_for_old_comparisons(tmp_path):
    x = Tensor([0.5, 50.0], "x")
    y = (x * (x > 1.0)).sum()
    for k in range(40):
        x > k + 55.0  # noqa: B015
    tinygraph.save(y, tmp_path / "y.json")
    loaded = tinygraph.load(tmp_path / "y.json")
    (again,) = [node for node in order(loaded) if node.name == "x"]
    again.data = np.array([1.5, 50.0])
    with pytest.raises(FrozenBranchError):
        loaded.forward()


@pytest.mark.parametrize("where", [tinygraph.where, np.where], ids=["tinygraph", "numpy"])
def test_the_condition_of_where_is_checked_also_at_the_root(where):
    """The selected operand itself, recorded before the comparison, would be recomputed without a check."""
    x = Value(2.0, "x")
    z = x * 2.0 - 1.0
    y = where(z > 0.0, z, 0.0 * z)
    assert (y.data, tinygraph.grad(y, x)) == (3.0, 2.0)
    x.data = 3.0
    assert y.forward().data == 5.0
    x.data = -3.0
    with pytest.raises(FrozenBranchError):
        y.forward()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Value(2.0), "Value(2)"),
        (lambda: Value(2.0, "x"), "x"),
        (lambda: Value(1.0) * 2.0, "Value(2, op='mul')"),
        (lambda: Tensor(2.0), "Tensor(2)"),
        (lambda: Tensor([1.0, 1.0]).sum(), "Tensor(2, op='sum')"),
        (lambda: Tensor([2.0, 3.0]), "a Tensor of shape (2,)"),
        (lambda: Tensor([2.0, 3.0], "t"), "t"),
    ],
)
def test_a_compared_node_without_a_name_is_shown_as_a_node(make, text):
    for left, right, expected in ((make(), 1.0, f"{text} > 1"), (make(), make(), f"{text} > {text}")):
        _ = left > right
        ((guard, _),) = left.metadata.guards.values()
        assert guard.trace.text == expected


def test_a_graph_does_not_depend_on_a_comparison_of_the_values_before_an_edit():
    k, x = Value(1.0), Value(3.0)
    assert k * 1.0 < x
    k.data = 2.0
    y = x * 2.0  # recorded right after the edit, so another outcome would not change it
    x.data = 5.0
    assert y.forward().data == 10.0


def test_an_edit_by_another_thread_waits_for_a_comparison():
    """Otherwise, the comparison would keep the old value, and a replay would look at it."""
    x = Value(1.0)
    thread = threading.Thread(target=lambda: setattr(x, "data", 5.0))

    def compare(left, right):
        if not thread.ident:
            thread.start()
            thread.join(0.05)
        return left < right

    assert replay.ask(compare, "{} < {}", (x, 2.0))
    thread.join()
    ((guard, _),) = x.metadata.guards.values()
    assert guard.numbers == [5.0, 2.0]
    assert guard.has_changed()
