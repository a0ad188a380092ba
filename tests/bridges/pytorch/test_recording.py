"""The recorded ATen ops are those of PyTorch's own tracer, and numbers of tensors do not become constants."""

import numpy as np
import pytest

from tinygraph import from_torch
from tinygraph.bridges import named_leaves
from tinygraph.bridges.pytorch.recording import Recorder

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group oracles")
from torch.fx.experimental.proxy_tensor import make_fx  # noqa: E402

from tests.bridges.pytorch.programs import PROGRAMS, random  # noqa: E402


def ops(graph):
    """Return the ops of a graph with the places of their operands."""
    places = {node: i for i, node in enumerate([node for node in graph.nodes if node.op == "call_function"])}
    return [
        (str(node.target), [places.get(x, "input") for x in node.all_input_nodes])
        for node in graph.nodes
        if node.op == "call_function"
    ]


@pytest.mark.parametrize("name", [name for name in PROGRAMS if all(map(torch.is_tensor, PROGRAMS[name]()[1]))])
def test_the_ops_are_those_that_make_fx_records(name):
    f, tensors = PROGRAMS[name]()
    recorder = Recorder(tensors)
    with recorder.recording():
        y = f(*tensors)
    graph = recorder.finish(y)
    theirs = make_fx(f)(*tensors).graph
    theirs.eliminate_dead_code()
    assert ops(graph) == ops(theirs)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.sum() if x.sum() > 0 else -x.sum(),  # the branch
        lambda x: x.sum() * x[0].item(),
        lambda x: x.sum() if torch.allclose(x, x) else x.prod(),
        lambda x: x.sum() * float((x * torch.tensor(2.0)).sum()),
    ],
)
def test_a_number_that_depends_on_the_arguments_is_refused(f):
    with pytest.raises(
        TypeError, match=r"f needs the number of a tensor at .*test_recording\.py:\d+, .*use torch.where"
    ):
        from_torch(f, random(3))


def test_a_number_that_depends_on_no_argument_is_a_constant():
    k = torch.tensor(3.0, dtype=torch.float64)
    x = random(3)
    root = from_torch(lambda x: x.sum() * k.item() * (torch.tensor(2.0) + 1.0).item(), x)
    assert root.data == pytest.approx(9.0 * x.sum().item())


class Marked(torch.Tensor):
    """A subclass of Tensor that does not replace ops."""


def test_a_subclass_of_tensor_is_refused_instead_of_becoming_a_constant():
    marked = random(3).as_subclass(Marked)
    with pytest.raises(TypeError):
        from_torch(lambda x: (x * marked).sum(), random(3), check=False)


def test_transformations_inside_the_function_are_recorded():
    x, A = random(3), random(3, 3, seed=1)
    root = from_torch(lambda x: torch.func.vmap(torch.func.grad(lambda t: (t * x).tanh().sum()))(A).sum(), x)
    root.backward()
    leaf = x.clone().requires_grad_()
    (1 - (A * leaf).tanh() ** 2).mul(leaf).sum().backward()
    assert named_leaves(root)["x"].grad == pytest.approx(leaf.grad.numpy(), rel=1e-9)


def test_each_op_is_recorded_once(monkeypatch):
    """A program of n ops takes n calls, so its import does not take quadratic time."""
    calls = []
    run = Recorder._run
    monkeypatch.setattr(Recorder, "_run", lambda *args: calls.append(args[2]) or run(*args))
    count = 500

    def f(x):
        for _ in range(count):
            x = x.tanh() + 0.1
        return x.sum()

    root = from_torch(f, random(2), check=False)
    assert len(calls) == 2 * count + 1
    assert root.data == pytest.approx(float(np.asarray(f(random(2)))))
