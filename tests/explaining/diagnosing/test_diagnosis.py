"""`diagnose` finds the first bad value and its kind, forward and backward, and gradients that do not arrive."""

import math
from functools import partial
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import StaleGraphError, Tensor, Value, diagnose, scope, trace_lines
from tinygraph.engine.graph import order
from tinygraph.explaining import notation
from tinygraph.explaining.diagnosing import diagnosis, stops
from tinygraph.explaining.diagnosing.findings import where
from tinygraph.explaining.diagnosing.stops import stops_of
from tinygraph.explaining.walk import Walk
from tinygraph.testing import graphs, tensor_programs


def value(x, name="x"):
    return Value(x, name)


def only(root, parameters=()):
    (finding,) = diagnose(root, parameters).findings
    return finding


FORWARD = {
    "log of 0": (lambda: tinygraph.log(value(0.0)), "log(x) = -inf, where x = 0"),
    "log of a negative number": (lambda: tinygraph.log(value(-1.0)), "log(x) = nan, where x = -1"),
    "log1p of -1": (lambda: tinygraph.log1p(value(-1.0)), "log of 0"),
    "0 / 0": (lambda: value(0.0) / value(0.0, "y"), "x/y = nan, where x = 0, y = 0"),
    "division by 0": (lambda: value(2.0) / value(0.0, "y"), "x/y = inf"),
    "overflow": (lambda: tinygraph.exp(value(800.0)), "exp(x) = inf, where x = 800"),
    "overflow of a product": (lambda: value(1e200) * value(1e200, "y"), "overflow: x × y = inf"),
    "negative base": (lambda: value(-2.0) ** 0.5, "x^0.5 = nan, where x = -2"),
    "negative base of a root": (lambda: tinygraph.sqrt(value(-2.0)), "negative base: √x = nan"),
    "0 to a negative power": (lambda: value(0.0) ** -1.5, "x^(-1.5) = inf"),
    "outside the domain": (lambda: tinygraph.acos(value(2.0)), "acos(x) = nan, where x = 2"),
    "cross-entropy of 0": (lambda: tinygraph.binary_cross_entropy(value(0.0), 1.0), "log of 0: binary_cross_entropy(x"),
    "bad input": (lambda: value(math.nan) * 2.0, "x is nan"),
    "infinite operand": (lambda: value(0.0) * math.inf, "0 · inf: x × inf = nan"),
    "overflow in a sum": (lambda: tinygraph.total([value(1.7e308), value(1.7e308, "y")]), "overflow: x + y = inf"),
}  # fmt: skip


@pytest.mark.parametrize("case", FORWARD)
def test_the_first_bad_number_and_its_kind(case):
    make, said = FORWARD[case]
    first = make()
    later = tinygraph.tanh(first * value(1.0, "w") + 1.0)
    for root in (first, later):
        finding = only(root)
        assert said in str(finding)
        assert finding.node is first or finding.kind == "bad input"


@pytest.mark.parametrize("case", [case for case in FORWARD if case != "bad input"])
def test_the_slice_shows_it_by_itself_and_its_code_makes_it(case):
    finding = only(FORWARD[case][0]())
    assert repr(finding.slice.data) == repr(finding.node.data)
    assert len(order(finding.slice)) <= 3
    code = next(line for line in str(finding).splitlines() if "smallest graph" in line).partition(": ")[2]
    names = {"tinygraph": tinygraph, "Value": Value, "inf": math.inf}
    again = eval(code, names)
    assert repr(again.data) == repr(finding.node.data)


@pytest.mark.parametrize(
    ("make", "fix"),
    [
        (lambda z: tinygraph.log(tinygraph.sigmoid(z)), "log_sigmoid(z)"),
        (
            lambda z: tinygraph.binary_cross_entropy(tinygraph.sigmoid(z), 1.0),
            "use binary_cross_entropy_with_logits, whose",
        ),
        (lambda z: tinygraph.exp(-z), "subtract the largest exponent"),
        (lambda z: 1.0 / (z + 800.0), "a divisor that cannot be 0"),
        (lambda z: z**0.5, "an integer exponent"),
    ],
)
def test_it_says_what_usually_mends_it(make, fix):
    finding = only(make(value(-800.0, "z")))
    assert fix in finding.fix
    assert finding.fix in str(finding)


def test_the_mends_mend():
    z = value(-800.0, "z")
    assert diagnose(tinygraph.log_sigmoid(z)).healthy
    assert diagnose(tinygraph.binary_cross_entropy_with_logits(z, 1.0)).healthy


SIGMOIDS = {
    "op": tinygraph.sigmoid,
    "formula": lambda z: 1 / (1 + tinygraph.exp(-z)),
    "formula with 1 last": lambda z: 1.0 / (tinygraph.exp(-z) + 1.0),
}
LOSSES = {
    "log": lambda a, y: -(y * tinygraph.log(a) + (1 - y) * tinygraph.log(1 - a)),
    "log1p": lambda a, y: -(tinygraph.log(a) * y) - (1 - y) * tinygraph.log1p(-a),
}


@pytest.mark.parametrize("sigmoid", SIGMOIDS)
@pytest.mark.parametrize("loss", ["log", "log1p"])
@pytest.mark.parametrize("number", [False, True])
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_written_cross_entropy_names_the_product_and_the_loss_of_the_logit(sigmoid, loss, number, kind):
    for logit, label in ((40.0, 1.0), (40.0, 0.0), (-800.0, 1.0), (-800.0, 0.0)):
        z, y = kind(logit, "z"), label if number else kind(label, "y", constant=True)
        if sigmoid != "op" and logit == -800.0:
            continue  # exp(800) overflows first
        a = SIGMOIDS[sigmoid](z)
        a.name = "a"
        root = LOSSES[loss](a, y)
        assert not math.isfinite(root.item())
        finding = only(root)
        assert finding.kind == "log of 0"
        ends = (" = 0 × (-inf) = nan", " = (-inf) × 0 = nan")
        assert finding.message.endswith(ends) == math.isnan(root.item())
        call = finding.fix.removeprefix("use ").partition(", the same")[0]
        assert call == f"binary_cross_entropy_with_logits(z, {f'{label:g}' if number else 'y'})"
        fixed = eval(call, {"z": z, "y": y, **vars(tinygraph)})
        oracle = np.logaddexp(0.0, -logit if label else logit)
        assert fixed.item() == pytest.approx(oracle, rel=1e-12, abs=1e-300)


def test_a_cross_entropy_of_an_input_or_of_arrays_names_the_loss_of_the_logit():
    a, y = value(0.0, "a"), value(0.0, "y")
    finding = only(-(y * tinygraph.log(a) + (1 - y) * tinygraph.log(1 - a)))
    assert "y × log(a) = 0 × (-inf) = nan" in finding.message
    assert (
        finding.fix == "use binary_cross_entropy_with_logits(z, y), the same loss computed from z, where a = sigmoid(z)"
    )
    Z, Y = Tensor([[3.0, 40.0]], "Z"), Tensor([[0.0, 1.0]], "Y", constant=True)
    A = tinygraph.sigmoid(Z)
    A.name = "A"
    finding = only(-(Y * tinygraph.log(A) + (1 - Y) * tinygraph.log(1 - A)).mean())
    assert "(1 - Y) ⊙ log(1 - A) = 0 × (-inf) = nan" in finding.message
    assert "use binary_cross_entropy_with_logits(Z, Y), " in finding.fix
    finding = only(-(np.dot(Y, np.log(A).T) + np.dot(1 - Y, np.log(1 - A).T)) / 2)
    assert "use binary_cross_entropy_with_logits(Z, Y), " in finding.fix
    assert "so np.dot" in finding.message or "so (1 - Y) · " in finding.message


@pytest.mark.parametrize(
    "make",
    [
        lambda a, y: y * tinygraph.log(a),  # only one product
        lambda a, y: y * tinygraph.log(a) + y * tinygraph.log(1 - a),  # factors that do not add up to 1
        lambda a, y: y * tinygraph.log(a) + (1 - y) * tinygraph.log(2 - a),  # not 1 - a
        lambda a, y: y * tinygraph.log(a) + (1 - y) * tinygraph.log(-a),  # log, not log1p
    ],
)
def test_another_sum_of_logarithms_is_not_a_cross_entropy(make):
    finding = only(make(value(0.0, "a"), value(0.25, "y")))
    assert "cross_entropy" not in finding.fix


def bce(a, y):
    return y * tinygraph.log(a) + (1 - y) * tinygraph.log(1 - a)


NOT_THE_LOSS = {
    "a difference": lambda a, y: y * tinygraph.log(a) - (1 - y) * tinygraph.log(1 - a),
    "a negative difference": lambda a, y: -(y * tinygraph.log(a) - (1 - y) * tinygraph.log(1 - a)),
    "the log-likelihood": bce,
    "the log-likelihood times a number": lambda a, y: bce(a, y) * 2.0 / 3.0 + 1.0,
    "unequal factors": lambda a, y: -(y * tinygraph.log(a) * 5.0 + (1 - y) * tinygraph.log(1 - a)),
    "one term divided": lambda a, y: -(y * tinygraph.log(a)) / 2.0 - (1 - y) * tinygraph.log(1 - a),
    "a product of the products": lambda a, y: -(y * tinygraph.log(a)) * ((1 - y) * tinygraph.log(1 - a)),
    "factors 1 and 0 elsewhere": lambda a, y: tinygraph.log(1 - a) * 0.0 + (1.0 * tinygraph.log(a)) * 5.0,
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_THE_LOSS)
@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_sum_with_other_signs_or_factors_is_not_the_loss(name, label, kind):
    z, y = kind(40.0, "z"), kind(label, "y", constant=True)
    root = NOT_THE_LOSS[name](1 / (1 + tinygraph.exp(-z)), y)
    assert not math.isfinite(root.item())
    assert "cross_entropy" not in only(root).fix


SCALED = {
    "1": (lambda a, y: 0.0 - bce(a, y), 1.0),
    "5 outside": (lambda a, y: -5.0 * bce(a, y), 5.0),
    "0.5 in each term": (
        lambda a, y: -0.5 * (y * tinygraph.log(a)) - (1 - y) * tinygraph.log(1 - a) / 2.0 + 7.0,
        0.5,
    ),
    "in a difference of other terms": (lambda a, y: 3.0 - (bce(a, y) + 1.0) * 4.0, 4.0),
    "negated again": (lambda a, y: 0.0 - (-bce(a, y)), 1.0),
    "in a function": (lambda a, y: tinygraph.exp(-bce(a, y)), 1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_the_loss_is_recognized_in_a_larger_expression_and_its_factor_is_kept(name, kind):
    make, factor = SCALED[name]
    z, y = kind(40.0, "z"), kind(1.0, "y", constant=True)
    fix = only(make(tinygraph.sigmoid(z), y)).fix
    kept = "" if factor == 1.0 else f", and keep the factor {factor:g}"
    assert fix == f"use binary_cross_entropy_with_logits(z, y), the same loss computed from z{kept}"
    # The oracle: at a finite logit, the loss changes as the recommended call, times the factor, does.
    if "function" not in name:
        sign = -1.0 if "again" in name else 1.0
        at = [make(tinygraph.sigmoid(kind(x)), y).item() for x in (-1.0, 0.5)]
        loss = [np.logaddexp(0.0, -x) for x in (-1.0, 0.5)]
        assert at[1] - at[0] == pytest.approx(sign * factor * (loss[1] - loss[0]), rel=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda A, Y: -(Y.T * np.log(A) + (1 - Y).T * np.log(1 - A)).sum(),  # labels of other elements
        lambda A, Y: -(np.dot(Y.T, np.log(A)) + np.dot((1 - Y).T, np.log(1 - A))).sum(),  # all pairs
        lambda A, Y: -(Y * np.log(A)).sum() - ((1 - Y) * np.log(1 - A)).mean(),  # a sum and a mean
        lambda A, Y: (Y * np.log(A) + (1 - Y) * np.log(1 - A)).mean(),  # no minus
    ],
)
@pytest.mark.parametrize("rows", [1, 2])
def test_arrays_of_products_with_other_elements_are_not_the_loss(make, rows):
    Z = Tensor(np.array([[3.0, 40.0], [-1.0, 40.0]])[:rows], "Z")
    Y = Tensor(np.array([[0.0, 0.0], [1.0, 1.0]])[:rows], "Y", constant=True)
    assert "cross_entropy" not in only(make(tinygraph.sigmoid(Z), Y)).fix


def test_reshaped_labels_and_a_sum_of_examples_are_the_loss():
    Z, Y = Tensor([[3.0], [40.0]], "Z"), Tensor([[0.0], [1.0]], "Y", constant=True)
    A = tinygraph.sigmoid(Z)
    for loss in (
        -(Y.T * np.log(A).T + (1 - Y).T * np.log(1 - A).T).sum(),
        -np.sum(Y * np.log(A)) - np.sum((1 - Y) * np.log(1 - A)),
        -1 * (Y.T @ np.log(A) + (1 - Y).T @ np.log(1 - A)),
    ):
        assert only(loss).fix == "use binary_cross_entropy_with_logits(Z, Y), the same loss computed from Z"
    total = Value(0.0)
    for logit in (-3.0, 40.0):
        z = Value(logit, "z")
        total = total + bce(tinygraph.sigmoid(z), 1.0)
    assert "binary_cross_entropy_with_logits(z, 1), the same loss" in only(-total / 2.0).fix


BACKWARD = {
    "a root at 0": (lambda x: tinygraph.sqrt(x * 1.0), 0.0, "infinite derivative"),
    "a root of a square at 0": (lambda x: tinygraph.sqrt(x * x), 0.0, "infinite derivative"),
    "0 times infinity": (lambda x: tinygraph.sqrt(x) * 0.0, 0.0, "0 · inf"),
}  # fmt: skip


@pytest.mark.parametrize("case", BACKWARD)
def test_the_first_bad_contribution(case):
    make, at, kind = BACKWARD[case]
    x = value(at)
    root = make(x)
    assert math.isfinite(root.data)
    finding = only(root)
    assert finding.kind == kind
    assert finding.node.op is tinygraph.sqrt
    root.backward()
    assert not math.isfinite(x.grad)


def test_a_gradient_that_overflows():
    x = value(1e-300)
    root = x * 1e200 * 1e200  # the root is 1e100, and the gradient of x is 1e400
    finding = only(root)
    assert (finding.kind, finding.node) == ("overflow", root.args[0])
    assert "1e+200 × 1e+200 = inf" in finding.message


def test_a_gradient_that_does_not_arrive():
    w, x = value(2.0, "w"), value(-3.0, "x")
    dead = tinygraph.relu(w * x)
    finding = only(dead, [w])
    assert finding.kind == "no gradient"
    assert (
        "the gradient stops at relu(w × x), whose local derivative with respect to (w × x) is 0, where (w × x) = -6"
        in finding.message
    )
    assert "the derivative of relu is 0" in finding.fix
    other = value(1.0, "w2")
    assert "w2, which is not in the graph" in only(x * 2.0, [other]).message
    fixed = Value(1.0, "k", constant=True)
    assert "which is a constant" in only(x * fixed, [fixed]).message
    assert "add up to 0" in only(x - x).message


def test_a_gradient_that_vanishes_or_explodes():
    x = y = value(1.0)
    for _ in range(12):
        y = tinygraph.sigmoid(y * 0.5)
    finding = only(y)
    assert finding.kind == "vanishing gradient"
    assert "on a path of 24 edges" in finding.message
    assert f"to {tinygraph.grad(y, x):.1e}" in finding.message
    y = x
    for _ in range(30):
        y = y * 3.0
    finding = only(y)
    assert (finding.kind, "from 1 to 2.1e+14 on a path of 30 edges" in finding.message) == ("exploding gradient", True)
    y = x
    for _ in range(200):
        y = tinygraph.tanh(y * 20.0)
    assert only(y).kind == "vanishing gradient"


def test_arrays_say_which_entry():
    finding = only(tinygraph.log(Tensor([[1.0, 2.0], [0.0, 3.0]], "A")).sum())
    assert str(finding).startswith("log of 0: log(A) = -inf, where A = 0, at element [1, 0]")
    assert finding.slice.item() == -math.inf
    assert only(Tensor([1.7e308, 1.7e308], "b").sum()).kind == "overflow in a sum"
    assert only(tinygraph.sqrt(Tensor([4.0, 0.0], "s")).sum()).kind == "infinite derivative"
    dead = only(tinygraph.relu(Tensor([-1.0, -2.0], "h")).sum())
    assert "no gradient reached h: the gradient stops at relu(h)" in dead.message


def test_the_line_is_said_where_it_was_traced():
    with trace_lines():
        y = tinygraph.log(value(0.0))
    assert only(y).line == y.line != ""
    assert f"recorded at {y.line}" in str(diagnose(y))
    with trace_lines(), scope("layer"), scope("norm"):
        y = tinygraph.log(value(0.0))
    assert f"recorded at {y.line} in the scope layer.norm\n" in str(diagnose(y))


@given(program=graphs())
def test_tame_programs_have_no_bad_numbers_and_nothing_is_written(program):
    root, _ = program.record()
    kinds = {finding.kind for finding in diagnose(root).findings}
    assert kinds <= {"no gradient", "vanishing gradient", "exploding gradient"}
    assert all(node.grad is None for node in order(root))


@given(
    program=graphs(),
    at=st.lists(st.sampled_from([0.0, -1.0, 800.0, 1e200, math.inf, math.nan]), min_size=4, max_size=4),
)
def test_whatever_the_numbers_it_finds_the_first(program, at):
    root = program(*map(Value, at[: len(program.at)]))
    findings = diagnose(root).findings
    bad = [node for node in reversed(order(root)) if not math.isfinite(node.data)]
    if bad:
        assert [finding.node for finding in findings] == bad[:1]
    root.backward()
    gradients = [node.grad for node in order(root) if node.grad is not None]
    if not bad and not all(map(math.isfinite, gradients)):
        assert findings[0].kind in ("0 · inf", "infinite derivative", "overflow", "overflow in a sum")
    str(diagnose(root))


@given(program=tensor_programs())
def test_programs_of_arrays_too(program):
    root, _ = program.record()
    kinds = {finding.kind for finding in diagnose(root).findings}
    bad = any(not np.isfinite(node.data).all() for node in order(root))
    assert bad or kinds <= {
        "no gradient",
        "vanishing gradient",
        "exploding gradient",
        "infinite derivative",
        "0 · inf",
        "overflow",
    }


def test_what_it_takes():
    with pytest.raises(TypeError, match="a node of a graph"):
        diagnose(3.0)
    x = value(1.0)
    y = x * 2.0
    assert "every value and every gradient is finite" in str(diagnose(y))
    assert repr(diagnose(y)) == str(diagnose(y))
    x.data = 2.0
    with pytest.raises(StaleGraphError):
        diagnose(y)


@pytest.mark.parametrize("x", [-1.0, 0.0])
@pytest.mark.parametrize("function", [np.log, np.sqrt])
@pytest.mark.parametrize("select", [lambda y, mask: tinygraph.where(mask, y, 0.0), lambda y, mask: y.sum(where=mask)])
def test_an_element_that_a_mask_does_not_select_gets_the_advice_to_select_before(function, select, x):
    t = Tensor([x, 4.0], "t")
    root = select(function(t), t > 0) * 3.0
    root = root.sum() if root.shape else root
    assert np.isfinite(root.item())
    assert "also select before you compute, as in where(mask, log(where(mask, t, 1.0)), 0.0)" in only(root).fix
    chosen = select(function(t), np.array([True, True]))
    chosen = chosen.sum() if chosen.shape else chosen
    assert "select" not in only(chosen).fix
    safe = select(function(tinygraph.where(t > 0, t, 1.0)), t > 0)
    assert diagnose(safe.sum() if safe.shape else safe).healthy


# --- large graphs


def dead_layers(count):
    """Return a chain of layers whose gradient vanishes, so that no gradient reaches the parameters at its start."""
    x = Value(0.3, "x")
    for i in range(count):
        x = tinygraph.sigmoid(x) * Value(1.0, f"w{i}") + Value(0.1, f"b{i}")
    return tinygraph.relu(x * Value(0.0, "k")) if count % 2 else x


def calls_of(monkeypatch, owner, name, run):
    """Return how often a function is called."""
    calls = []
    original = getattr(owner, name)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, lambda *args, **options: calls.append(1) or original(*args, **options))
        run()
    return len(calls)


@pytest.mark.parametrize("odd", [0, 1])
@pytest.mark.parametrize(
    ("owner", "name"), [(stops, "size"), (diagnosis, "size"), (notation, "_written"), (stops, "_nearest")]
)
def test_the_work_is_proportional_to_the_size_of_the_graph(monkeypatch, owner, name, odd):
    for count in (400, 1200):
        root = dead_layers(count + odd)
        calls = calls_of(monkeypatch, owner, name, partial(print_findings, root))
        assert calls <= 40 * count


def print_findings(root):
    assert len(str(diagnose(root))) < 30_000


def random_dead_graph(seed):
    random = Random(seed)
    nodes = [Value(random.choice([-2.0, -1.0, 0.0, 1.0, 2.0]), f"x{i}") for i in range(5)]
    for _ in range(25):
        a, b = random.choice(nodes), random.choice(nodes[-8:])
        nodes.append(random.choice([a + b, a * b, tinygraph.relu(a), tinygraph.relu(a * b), a - b]))
    return tinygraph.total(nodes[-3:])


def stops_by_search(walk, leaf):
    """Return the edges that end at a node without a gradient from which only such nodes lead to the leaf."""

    def dead(node):
        return not walk.gradient(node)

    below, grown = {leaf}, True
    while grown:
        more = {node for node in walk.nodes if dead(node) and below & set(node.operands)} - below
        below, grown = below | more, bool(more)
    return {
        (node, slot)
        for node in walk.nodes
        for slot, operand in enumerate(node.args)
        if not dead(node) and operand in below
    }


def test_the_edges_where_a_gradient_stops_are_those_of_a_search():
    found = 0
    for seed in range(150):
        walk = Walk(random_dead_graph(seed), 1.0)
        known = stops_of(walk)
        for leaf in walk.nodes:
            if leaf.op is None and not walk.gradient(leaf):
                true = {
                    (node, slot) for node, slot in stops_by_search(walk, leaf) if not node.partials[slot]
                }  # not an edge with contributions that cancel
                stops = known.get(leaf, [])
                assert {(stop.node, stop.operand) for stop in stops} == {(node, node.args[i]) for node, i in true}
                places = [walk.nodes.index(stop.node) for stop in stops]
                assert places == sorted(places, reverse=True)
                found += len(stops)
    assert found > 100


def test_the_nearest_edges_are_kept_if_a_gradient_stops_at_very_many():
    w = Value(-1.0, "w")
    units = [tinygraph.relu(w * float(i)) for i in range(1, 301)]
    (finding,) = diagnose(tinygraph.total(units)).findings
    assert finding.message.endswith(", and at 99 other edges or more")


WIDE = 3000


@pytest.mark.parametrize(
    "make",
    [
        lambda w, x: tinygraph.dot(w, x),
        lambda w, x: tinygraph.total(w) * math.inf,
        lambda w, x: tinygraph.total([*w, Value(1.7e308), Value(1.7e308, "big")]),
        lambda w, x: tinygraph.dot([*w, Value(0.0, "y")], [*x, tinygraph.log(Value(0.0, "z"))]),
    ],
)
def test_a_text_is_short_although_an_op_has_many_operands(make):
    w = [Value(1.0, f"w{i}") for i in range(WIDE)]
    x = [Value(0.0, f"x{i}", constant=True) for i in range(WIDE)]
    found = diagnose(make(w, x))
    assert max(len(finding.message) for finding in found.findings) < 400
    assert max(map(len, str(found).splitlines())) < 400
    assert len(str(found)) < 20_000


def test_the_operands_of_a_wide_op_that_are_zero_or_not_finite_are_shown_first():
    numbers = [1.0] * 30 + [math.inf, 0.0] + [1.0] * 30
    w = [Value(x, f"w{i}") for i, x in enumerate(numbers)]
    node = tinygraph.total(w)
    text = where(node, numbers)
    assert text.startswith(", where w30 = inf, w31 = 0, w0 = 1, ")
    assert text.endswith(", w5 = 1, … (62 operands)")


def test_at_most_20_findings_of_a_kind_are_printed():
    w = [Value(1.0, f"w{i}") for i in range(30)]
    found = diagnose(tinygraph.dot(w, [0.0] * 30))
    lines = str(found).splitlines()
    assert len(found.findings) == 30
    assert sum(line.startswith("no gradient: no gradient reached") for line in lines) == 20
    assert lines[-1] == "no gradient: 10 other findings of this kind, in the attribute `findings`"
