"""A `Walk` sorts the graph once, runs at most one pass, and has the numbers of `propagate`, bit for bit."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given

import tinygraph
from tests.engines import needed_engine
from tinygraph import StaleGraphError, Stepper, Tensor, Value, diagnose, draw, explain, misconceptions, scope
from tinygraph.drawing import DrawOptions
from tinygraph.engine import autodiff, backward, graph
from tinygraph.engine.autodiff import propagate
from tinygraph.engine.graph import order
from tinygraph.explaining.walk import Walk
from tinygraph.stepping.player import page
from tinygraph.testing import graphs, tensor_programs


def same(x, y):
    return np.array_equal(x, y, equal_nan=True)


def test_a_name_is_found_in_each_spelling():
    micro, mu, w = Value(1.0, "µ"), Value(2.0, "μ"), Value(3.0, "w1")
    assert Walk(micro * w).find("μ") is micro
    assert Walk(mu * w).find("µ") is mu
    assert Walk(mu * w).find("w₁") is w
    both = Walk(micro * mu)
    assert (both.find("µ"), both.find("μ")) == (micro, mu), "the exact name comes first"
    with pytest.raises(KeyError, match="no node is named 'ν'"):
        both.find("ν")


@given(program=graphs())
def test_the_edges_are_the_contributions_of_the_chain_rule(program):
    root, _ = program.record()
    walk = Walk(root, 2.0)
    adjoints = {}
    rule = list(propagate(root, 2.0, adjoints))
    edges = list(walk.edges)
    assert len(walk) == len(edges) == len(rule)
    for edge, (node, slot, operand, *numbers) in zip(edges, rule, strict=True):
        assert (edge.node, edge.slot, edge.operand) == (node, slot, operand)
        assert [float(x).hex() for x in edge[3:]] == [float(x).hex() for x in numbers]
    assert walk.nodes == order(root)
    assert {node: x.hex() for node, x in walk.gradients.items()} == {node: x.hex() for node, x in adjoints.items()}
    assert [edge for node in walk.nodes for edge in walk.edges_of(node)] == edges or root.raw != root.raw
    for node in walk.nodes:
        into = walk.into(node)
        assert [walk.ends(i)[2] for i in into] == [node] * len(into)
        assert sum(walk.ends(i)[2] is node for i in range(len(walk))) == len(into)
        for slot in range(len(node.args)):
            assert walk.flows(node, slot) == any(edge.slot == slot for edge in walk.edges_of(node))


@given(program=tensor_programs())
def test_the_edges_of_tensors_are_those_of_the_chain_rule(program):
    root, _ = program.record()
    if root.shape:
        root = root.sum()
    walk = Walk(root, np.array(1.0))
    rule = []
    root._run(lambda: rule.extend(propagate(root, np.array(1.0), {})))
    assert len(walk) == len(rule)
    for edge, (node, slot, operand, _, _, contribution) in zip(walk.edges, rule, strict=True):
        assert (edge.node, edge.slot, edge.operand) == (node, slot, operand)
        assert same(edge.contribution, contribution)


def test_without_a_seed_there_is_no_pass():
    x = Value(2.0, "x")
    walk = Walk(x * x)
    assert (list(walk.edges), walk.gradients, walk.gradient(x), walk.edges_of(walk.root)) == ([], {}, None, [])
    x.data = 3.0
    with pytest.raises(StaleGraphError):
        Walk(walk.root)


def test_the_gradient_of_the_root_stays_as_writable_as_it_was():
    t = Tensor([1.0, 2.0], "t")
    y = t * t
    y.backward(seed=[1.0, 1.0])
    draw(y)
    y.grad[:] = 3.0
    assert draw(y).source.count("[3, 3]")


# --- work that is done once


@pytest.fixture
def counted(monkeypatch):
    """Count how often the graph was sorted, and how often a backward pass ran, since the last query."""
    found = {"sorted": 0, "passes": 0}

    def counting(what, function):
        def call(*args, **options):
            found[what] += 1
            return function(*args, **options)

        return call

    wrapped = {
        id(graph.order): counting("sorted", graph.order),
        id(backward.backward): counting("passes", backward.backward),
        id(backward.adjoints): counting("passes", backward.adjoints),
        id(autodiff.propagate): counting("passes", autodiff.propagate),
    }
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "tinygraph":
            for key, value in list(vars(module).items()):
                if id(value) in wrapped:
                    monkeypatch.setattr(module, key, wrapped[id(value)])

    def look():
        now = found["sorted"], found["passes"]
        found.update(sorted=0, passes=0)
        return now

    return look


def shared(tensor):
    """Record a loss with shared nodes, in scopes, after edits elsewhere, so that a pass looks for stale nodes."""
    make = (lambda x, name: Tensor([x, 1.0], name)) if tensor else Value
    w, b = make(0.5, "w"), make(-0.25, "b")
    with scope("layer"):
        a = tinygraph.tanh(w * w + b)
    J = a * w + a / (b * b)
    J = J.sum() if tensor else J
    J.name = "J"
    J.backward()
    Value(1.0).data = 2.0
    return J, w


@pytest.mark.parametrize("tensor", [False, True], ids=["Value", "Tensor"])
@pytest.mark.parametrize("detail", ["auto", "full", "contributions", "plain", "folded", "scopes"])
def test_a_drawing_sorts_once_and_runs_one_pass(detail, tensor, counted):
    J, w = shared(tensor)
    counted()
    draw(J, detail=detail)
    assert counted() == (1, 1)
    if detail not in ("folded", "scopes"):
        draw(J, detail=detail, around=w, depth=1)
        assert counted() == (1, 1)
    J.grad = None
    draw(J, detail=detail)
    assert counted() == (1, 0)


@pytest.mark.parametrize("tensor", [False, True], ids=["Value", "Tensor"])
@pytest.mark.parametrize("phase", ["backward", "forward", "both"])
def test_a_stepper_its_page_and_its_explanations_sort_once_and_run_one_pass(phase, tensor, counted):
    needed_engine()
    J, w = shared(tensor)
    counted()
    stepper = Stepper(J, phase=phase)
    assert counted() == (1, 0), "nothing is computed before it is looked at"
    list(stepper)
    page(stepper, DrawOptions())
    stepper.explain(w), stepper.explain("b")
    stepper._repr_mimebundle_()
    stepper.back(3)
    stepper.run_until(w)
    assert counted() == (0, int(phase != "forward"))


@pytest.mark.parametrize("tensor", [False, True], ids=["Value", "Tensor"])
def test_an_explanation_and_a_diagnosis_sort_once_and_run_one_pass(tensor, counted):
    J, w = shared(tensor)
    counted()
    str(explain(J, w)), explain(J, w).table()
    assert counted() == (2, 2)
    assert diagnose(J).healthy
    assert counted() == (1, 1)
    assert "nan" in str(diagnose(Value(float("nan"), "x") * 2.0))
    assert counted() == (1, 0), "without a finite value there is no pass"


def test_the_right_pass_of_the_lab_runs_once(counted):
    c = misconceptions.OVERWRITING.smallest()
    counted()
    misconceptions.OVERWRITING.compare(c)
    assert counted()[1] == 1


# --- without NumPy


SESSION = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "numpy":
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocked())
sys.path[:0] = PATHS
from tinygraph import *
import tinygraph
from tinygraph.cli.expressions import parse
from tinygraph.drawing import DrawOptions
from tinygraph.stepping.player import page

x, b = Value(2.0, "x"), Value(3.0, "b", constant=True)
with scope("neuron"), trace_lines():
    a = sigmoid(x * b + dot([x, 1.0], [x, 0.5])) + x**3
J = log(a) / a.relu() + total([a, 1.0])
J.name, a.name = "J", "a"
texts = [repr(J), str(tree(J)), draw(J).source]
J.backward()
for detail in ("auto", "full", "folded", "scopes"):
    texts.append(draw(J, detail=detail, parameters=[x]).source)
texts += [draw(J, around=x, depth=1).source, str(tree(J, ascii=True)), str(explain(J, x)), explain(J, x).latex()]
stepper = Stepper(J, phase="both")
texts += [str(step) for step in stepper] + [str(stepper.goto(3)), page(stepper, DrawOptions()), repr(stepper.end())]
texts += [str(diagnose(J)), str(diagnose(J * 1e-20)), str(diagnose(log(x - 2.0))), str(diagnose(sqrt(x - 2.0)))]
texts += [str(diagnose(relu(-x))), str(diagnose(J, [Value(1.0, "other")]))]
for program in ("u = b*c; v = a + u; J = 3*v",):
    root = parse(program, {"a": 5.0, "b": 3.0, "c": 2.0})
    texts.append(str(root))
texts += [str(grad(grad(J, x, create_graph=True), x)), str(hessian(J, [x])), str(check_grad(lambda t: sin(t), 1.0))]
assert all(texts)
print(*[name for name in sys.modules if name.partition(".")[0] == "numpy"])
"""


def test_a_session_of_floats_needs_no_numpy():
    import graphviz

    paths = json.dumps([path.rpartition("/")[0].rpartition("/")[0] for path in (tinygraph.__file__, graphviz.__file__)])
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", SESSION.replace("PATHS", paths)],
        capture_output=True, text=True, check=False, env={"TINYGRAPH_DOT": needed_engine()},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stdout.strip()


def test_an_edit_while_an_edge_is_computed_is_noticed(monkeypatch):
    """An array can change in place before the edit waits for its turn."""
    x = Tensor([1.0, 2.0])
    walk = Walk((x * x).sum(), np.array(1.0))
    assert walk.gradients
    partials = Walk._edge

    def edit(i):
        x.data += 1.0
        return partials(walk, i)

    monkeypatch.setattr(walk, "_edge", edit)
    with pytest.raises(StaleGraphError):
        walk.edge(1)
