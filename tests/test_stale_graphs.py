"""Every function that reads a graph refuses a stale graph, whose computed values do not match its leaves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import StaleGraphError, Tensor, Value
from tinygraph.engine.graph import order
from tinygraph.misconceptions import NOT_ZEROING
from tinygraph.testing import graphs, tensor_programs

READERS = {
    "backward": lambda y, x: y.backward(),
    "accumulate": lambda y, x: y.backward(accumulate=True),
    "grad": tinygraph.grad,
    "derivative graph": lambda y, x: tinygraph.grad(y, x, create_graph=True),
    "hessian": tinygraph.hessian,
    "jvp": lambda y, x: tinygraph.jvp(y, {x: x.data}),
    "tree": lambda y, x: tinygraph.tree(y),
    "short tree": lambda y, x: tinygraph.tree(y, lines=1),
    "draw": lambda y, x: tinygraph.draw(y),
    "folded": lambda y, x: tinygraph.draw(y, detail="folded"),
    "around": lambda y, x: tinygraph.draw(y, around=x),
    "explain": tinygraph.explain,
    "diagnose": lambda y, x: tinygraph.diagnose(y),
    "Stepper": lambda y, x: tinygraph.Stepper(y),
    "forward Stepper": lambda y, x: tinygraph.Stepper(y, phase="forward"),
    "compare": lambda y, x: NOT_ZEROING.compare(y),
    "compare with another graph": lambda y, x: tinygraph.compare(x * x, y),
}
READERS_OF_VALUES = {
    "compile": lambda y, x: tinygraph.compile(y, [x]),
    "compile without inputs": lambda y, x: tinygraph.compile(y, []),
    "source": lambda y, x: tinygraph.source(y),
    "forward source": lambda y, x: tinygraph.source(y, backward=False),
    "vectorize": lambda y, x: tinygraph.vectorize(y),
}


def leaves_of(y):
    return [node for node in order(y) if node.op is None and not node.constant]


@pytest.mark.parametrize("name", {**READERS, **READERS_OF_VALUES})
@settings(max_examples=10)
@given(program=graphs(), data=st.data())
def test_a_reader_refuses_a_stale_graph_of_values(name, program, data):
    y, _ = program.record()
    x = data.draw(st.sampled_from(leaves_of(y)))
    read = {**READERS, **READERS_OF_VALUES}[name]
    x.data = x.data + 0.25
    with pytest.raises(StaleGraphError, match="stale"):
        read(y, x)
    read(y.forward(), x)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=10)
@given(program=tensor_programs(), data=st.data())
def test_a_reader_refuses_a_stale_graph_of_tensors(name, program, data):
    y, _ = program.record()
    x = data.draw(st.sampled_from(leaves_of(y)))
    x.data = x.data + 0.25
    with pytest.raises(StaleGraphError, match="stale"):
        READERS[name](y, x)
    READERS[name](y.forward(), x)


@pytest.mark.parametrize("make", [lambda: Value(2.0, "x"), lambda: Tensor(2.0, "x")])
def test_save_refuses_a_stale_graph(make, tmp_path):
    x = make()
    y = x * x
    x.data = 3.0
    with pytest.raises(StaleGraphError):
        tinygraph.save([x, y], tmp_path / "y.json")


@pytest.mark.parametrize("phase", ["forward", "backward", "both"])
def test_a_stepper_refuses_a_graph_that_was_edited_meanwhile(phase):
    x = Value(2.0, "x")
    stepper = tinygraph.Stepper(x * x + x, phase=phase)
    stepper.step()
    x.data = 3.0
    with pytest.raises(StaleGraphError):
        stepper.step()


def test_a_drawing_without_graphviz_says_that_the_graph_is_stale(monkeypatch):
    monkeypatch.setenv("TINYGRAPH_DOT", "no-such-program")
    x = Value(2.0, "x")
    y = x * x
    shown = tinygraph.draw(y)
    assert "data 4.0" in shown._repr_mimebundle_()["text/plain"]
    x.data = 3.0
    text = shown._repr_mimebundle_()["text/plain"]
    assert "data 4.0" not in text
    assert "stale" in text


def test_scatter_refuses_gradients_of_other_values():
    x = Value(2.0)
    found = tinygraph.vectorize(x * x)
    found.root.backward()
    x.data = 3.0
    with pytest.raises(StaleGraphError):
        found.scatter()


def test_an_array_element_cannot_be_a_tensor():
    """NumPy wraps the error, because a Tensor is a sequence, but shows it as the cause."""
    t = Tensor([1.0, 2.0])
    array = np.zeros(3)
    with pytest.raises(ValueError, match="array element") as caught:
        array[0] = t[0]
    assert str(caught.value.__cause__) == (
        "an element of an array of numbers cannot be a Tensor, because that would cut the graph: collect the Tensors "
        "in a list, and call np.stack, or assign x.data"
    )
    assert array[0] == 0.0
    assert np.stack([t[0], t[1]]).data.tolist() == [1.0, 2.0]
