"""Messages and tracebacks name the public classes, not the classes that they inherit from."""

import inspect
import pickle
import traceback

import pytest

import tinygraph
from tinygraph import Tensor, Value, strict
from tinygraph.engine.acceleration import ACCELERATED, TWINS

CLASSES = {
    "Value": lambda: Value(2.0),
    "Tensor": lambda: Tensor([[1.0, 2.0]]),
    "Stepper": lambda: tinygraph.Stepper(Value(2.0)),
}
METHODS = [
    (kind, name)
    for kind in CLASSES
    for name, _ in inspect.getmembers(getattr(tinygraph, kind), inspect.isfunction)
    if not name.startswith("_")
]


@pytest.mark.parametrize(("kind", "name"), [*METHODS, *[(kind, "__init__") for kind in CLASSES]])
def test_a_wrong_call_names_the_public_class(kind, name):
    node = CLASSES[kind]()
    method = getattr(getattr(tinygraph, kind), name)
    assert method.__qualname__ == f"{kind}.{name}"
    if not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(method).parameters.values()):
        with pytest.raises(TypeError, match=rf"^{kind}\.{name}\(\) got an unexpected keyword argument 'wrong'$"):
            getattr(node, name)(wrong=1)


@pytest.mark.parametrize(
    "method",
    [
        Value.backward, Tensor.backward, Tensor.reshape, Value.exp, Value.__add__, Value.__rsub__, Value.__pow__,
        Tensor.__truediv__, Tensor.__rpow__,
    ],
)  # fmt: skip
def test_a_method_can_be_pickled(method):
    assert pickle.loads(pickle.dumps(method)) is method


OPERATORS = {
    "__add__": lambda x: x + "a",
    "__radd__": lambda x: [1.0, "a"] + x,  # noqa: RUF005
    "__mul__": lambda x: x * "a",
    "__truediv__": lambda x: x / "a",
    "__rsub__": lambda x: [1.0, "a"] - x,
    "__pow__": lambda x: x ** "a",
    "__mod__": lambda x: x % "a",
    "__floordiv__": lambda x: x // "a",
}


@pytest.mark.parametrize("node", [Value(2.0), Value(2.0, constant=True), Tensor([1.0, 2.0])])
@pytest.mark.parametrize("name", OPERATORS)
def test_a_traceback_names_the_operator(name, node):
    with pytest.raises(TypeError) as caught:
        OPERATORS[name](node)
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    compiled = ACCELERATED and isinstance(node, Value) and hasattr(TWINS["Arithmetic"], name)
    assert (name in names) != compiled, "a traceback contains no compiled function"


def test_a_traceback_names_the_method_of_an_op():
    with strict(), pytest.raises(FloatingPointError) as caught:
        Value(1e3).exp()
    assert "exp" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
