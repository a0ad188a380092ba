"""Names of other libraries are refused with ours."""

import copy
import pickle
import re

import numpy as np
import pytest

import tinygraph
from tinygraph import Tensor, Value
from tinygraph.engine.operators import Operators
from tinygraph.support.other_libraries import ATTRIBUTES, PARAMETERS

NODES = [Value(2.0), Tensor([[1.0, 2.0]]), Value(2.0, constant=True), Value(2.0) * 2.0]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_hint_hides_no_attribute(name):
    for kind in (Value, Tensor):
        assert [c for c in kind.__mro__ if name in vars(c)] == [Operators]
        assert name not in getattr(kind, "__slots__", ())


@pytest.mark.parametrize("name", ATTRIBUTES)
@pytest.mark.parametrize("node", NODES, ids=lambda node: type(node).__name__)
def test_an_attribute_of_another_library_is_refused_with_ours(node, name):
    message = rf"^'{type(node).__name__}' object has no attribute '{name}': {re.escape(ATTRIBUTES[name])}$"
    for access in (lambda: getattr(node, name), lambda: setattr(node, name, 1), lambda: delattr(node, name)):
        with pytest.raises(AttributeError, match=message) as caught:
            access()
        assert caught.value.name == name
    assert not hasattr(node, name)
    assert not hasattr(type(node), name)
    assert name not in dir(node)


def test_an_unknown_attribute_has_pythons_message():
    with pytest.raises(AttributeError, match=r"^'Value' object has no attribute 'grat'$"):
        _ = Value(2.0).grat
    assert {"data", "grad", "backward"} <= set(dir(Value(2.0)))


class Parameter(Value):
    """A subclass whose attributes have names of other libraries."""


def test_a_subclass_can_use_the_names():
    w = Parameter(2.0, "w")
    w.label, w.requires_grad = "weight", True
    for x in (w, copy.copy(w), copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert (x.label, x.requires_grad) == ("weight", True)
    del w.label
    assert not hasattr(w, "label")


ADVICE = {
    "unsqueeze": lambda x: np.expand_dims(x, 0),
    "permute": lambda x: x.transpose(1, 0),
    "t": lambda x: x.T,
    "numel": lambda x: x.size,
    "dim": lambda x: x.ndim,
    "mm": lambda x: x @ x.T,
    "outer": lambda x: np.outer(x, x),
    "norm": np.linalg.norm,
    "clamp": lambda x: x.clip(0.0, 1.0),
    "pow": lambda x: x**2,
    "masked_fill": lambda x: tinygraph.where(np.array([[True, False]]), 0.0, x),
    "gather": lambda x: np.take_along_axis(x, np.array([[1]]), 1),
    "expand": lambda x: np.broadcast_to(x, (3, 2)),
    "chunk": lambda x: np.split(x, 2, axis=1)[0],
    "clone": lambda x: x.detach(),
    "_prev": lambda x: len(x.operands),
    "_op": lambda x: len((x * 2.0).op.name) + x.data.size,
    "numpy": lambda x: x.data,
}


@pytest.mark.parametrize("name", ADVICE)
def test_the_advice_works(name):
    assert ADVICE[name](Tensor([[1.0, 2.0]])) is not None


CALLS = {
    "softmax": lambda t, **o: tinygraph.softmax(t, **o),
    "log_softmax": lambda t, **o: t.log_softmax(**o),
    "logsumexp": lambda t, **o: tinygraph.logsumexp(t, **o),
    "cross_entropy": lambda t, **o: tinygraph.cross_entropy(t, [0], **o),
    "concatenate": lambda t, **o: tinygraph.concatenate([t], **o),
    "stack": lambda t, **o: tinygraph.stack([t], **o),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("option", [*PARAMETERS, "wrong"])
def test_a_parameter_of_pytorch_is_refused_with_numpys_name(name, option):
    hint = f": NumPy's name is {PARAMETERS[option]}=" if option in PARAMETERS else ""
    with pytest.raises(TypeError, match=rf"^{name} has no option {option}={hint}$"):
        CALLS[name](Tensor([[1.0, 2.0]]), **{option: 1})


@pytest.mark.parametrize("method", ["sum", "mean", "max", "prod", "std"])
def test_a_method_of_numpy_is_refused_with_numpys_name(method):
    with pytest.raises(TypeError, match=r"does not understand dim=0 .*: NumPy's name is axis=$"):
        getattr(Tensor([[1.0, 2.0]]), method)(dim=0)
