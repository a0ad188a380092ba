"""Every public callable refuses arguments of the wrong type, in a sentence that names the parameter.

The test finds each parameter of each public callable, and replaces one argument of a valid call by values of the wrong
type. The call must then succeed (for values that the parameter's kind allows), or the package itself must raise one of
the documented exceptions.
"""

from __future__ import annotations

import dis
import inspect
import operator
import re
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

import tinygraph
from tests import valid_calls
from tests.valid_calls import CALLS
from tests.wrong_types import KINDS, NOT_ENTRY_POINTS, Call, Samples
from tinygraph.engine import more_ops, ops
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.op import Op
from tinygraph.engine.variadic import VariadicOp
from tinygraph.tensor.tensor import Tensor

PACKAGE = str(Path(tinygraph.__file__).parent)
DOCUMENTED = (
    TypeError, ValueError, LookupError, OverflowError, FloatingPointError, OSError,
    tinygraph.FrozenBranchError, tinygraph.StaleGraphError,
)  # fmt: skip


class Pair(NamedTuple):
    """A tuple with names, which is neither a plain tuple nor a list."""

    first: object
    second: object


WRONG = {
    "None": lambda: None,
    "str": lambda: "wrong",
    "empty str": lambda: "",
    "null character": lambda: "wrong\0.svg",
    "bytes": lambda: b"wrong",
    "dict": lambda: {"wrong": 1},
    "list of strings": lambda: ["wrong"],
    "empty list": list,
    "namedtuple": lambda: Pair("wrong", None),
    "set": lambda: {"wrong"},
    "complex": lambda: 1j,
    "object": object,
    "lambda": lambda: lambda *_: None,
    "class": lambda: dict,
    "generator": lambda: (x for x in ["wrong"]),
    "int": lambda: 3,
    "negative int": lambda: -3,
    "float": lambda: 2.5,
    "nan": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "Value": lambda: tinygraph.Value(2.0),
    "Tensor": lambda: Tensor([[1.0, 2.0]]),
    "array of strings": lambda: np.array(["wrong"]),
}


def public_callables() -> dict[str, Any]:
    """Return the public callables by name: functions, classes and their public methods."""
    found: dict[str, Any] = {}
    for name in sorted({*tinygraph.__all__, *tinygraph._LATER, "sum"}):
        value = getattr(tinygraph, name)
        if isinstance(value, ModuleType):
            for inner in value.__all__:
                _collect(found, f"{name}.{inner}", getattr(value, inner))
        else:
            _collect(found, name, value)
    return found


def _collect(found: dict[str, Any], name: str, value: Any) -> None:
    if isinstance(value, Op) or not callable(value):
        return  # ops have a separate test
    if not inspect.isclass(value):
        found.setdefault(name, value)
    elif not issubclass(value, (Exception, str)):
        found[name] = value
        for method in dir(value):
            stored = inspect.getattr_static(value, method)
            if not method.startswith("_") and inspect.isroutine(stored):
                function = getattr(value, method)
                found[f"{name}.{method}"] = partial(function, None) if inspect.isfunction(stored) else function


def parameters(function: Any) -> list[inspect.Parameter]:
    """Return the parameters that you pass by name or position. `**options` are checked by Python or the callee."""
    found = inspect.signature(function).parameters.values()
    return [p for p in found if p.name != "draw" and p.kind is not p.VAR_KEYWORD]


METHODS = ("atan2", "arctan2", "hypot", "fmod", "clip", "leaky_relu", "elu", "nan_to_num")


def same_callable(name: str) -> str:
    """Return the name under which the table lists a callable that is public in two places."""
    others = {
        "checking.check_grad": "check_grad",
        "checking.numeric_grad": "numeric_grad",
        "drawing.draw": "draw",
        "drawing.tree": "tree",
        "drawing.compare": "compare",
        "worksheets.worksheet": "worksheet",
        "Tensor.backward": "Value.backward",
    }
    return (others | {f"Tensor.{method}": f"Value.{method}" for method in METHODS}).get(name, name)  # fmt: skip


ENTRIES = {
    same_callable(name): function
    for name, function in public_callables().items()
    if name not in NOT_ENTRY_POINTS and parameters(function)
}


def test_every_public_callable_has_a_valid_call() -> None:
    assert sorted(CALLS) == sorted(ENTRIES)
    for name, function in ENTRIES.items():
        assert CALLS[name].kinds.keys() == {p.name for p in parameters(function)}, name


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Samples:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")  # a call that accepts a str as a path writes there
    return Samples(tmp_path)


@pytest.mark.parametrize("name", CALLS)
def test_the_valid_call_is_valid(name: str, samples: Samples) -> None:
    CALLS[name].run(samples)


CASES = [(name, parameter) for name, call in CALLS.items() for parameter in call.kinds]


@pytest.mark.filterwarnings("ignore:gradient descent did not reach")
@pytest.mark.parametrize(("name", "parameter"), CASES, ids=[f"{name}-{parameter}" for name, parameter in CASES])
def test_a_wrong_type_is_refused_by_name(name: str, parameter: str, samples: Samples) -> None:
    call: Call = CALLS[name]
    kind, problems = call.kinds[parameter], []
    names = (parameter, *OTHER_NAMES.get((name, parameter), ()), *OTHER_NAMES.get(kind, ()))
    for label, make in WRONG.items():
        allowed = label in KINDS[kind]
        try:
            call.run(samples, **{parameter: make()})
        except Exception as error:
            # A function that is accepted, and the function of a valid call, may raise their own errors.
            if not allowed or not (
                is_ours(error)
                or isinstance(error, FileNotFoundError)
                or kind in ("function", "function or None", "target")
                or is_of_the_lambda(error)
            ):
                problems += [f"{label}: {problem}" for problem in faults(error, *names)]
        else:
            problems += [] if allowed else [f"{label}: accepted"]
    assert not problems, "\n".join(problems)


# What a message contains in place of the parameter's name.
OTHER_NAMES: dict[object, tuple[str, ...]] = {
    ("Value", "data"): ("Value",),  # `Value: 'a' (str) is not a real number`
    ("Tensor", "data"): ("Tensor",),
    ("power", "exponent"): ("power",),
    ("Tensor.dot", "b"): ("dot",),
    **{("where", name): ("where",) for name in ("condition", "x", "y")},
    **{(f"Value.{name}", "y"): (name,) for name in ("atan2", "hypot", "fmod")},
    ("Value.arctan2", "y"): ("atan2",),
    **{("Value.clip", name): ("maximum", "minimum", "min", "max") for name in ("min", "max", "a_min", "a_max")},
    ("clip", "x"): ("clip",),
    **{("huber", name): ("huber",) for name in ("x", "y")},
    **{("hinge", name): ("hinge",) for name in ("x", "y")},
    ("leaky_relu", "x"): ("leaky_relu",),
    ("elu", "x"): ("elu",),
    ("nan_to_num", "x"): ("nan_to_num",),
    "flag": ("truth value",),
    **{(name, "x"): (name,) for name in ("softmax", "log_softmax", "logsumexp")},
    "own node": ("no node is named",),
    "node or None": ("no node is named",),
    "target": ("no node is named",),
}


def is_of_the_lambda(error: BaseException) -> bool:
    """Return whether the function of the valid call raised the error, because it got an unexpected argument."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_name == "<lambda>" and trace.tb_frame.f_code.co_filename == valid_calls.__file__


def is_ours(error: BaseException) -> bool:
    """Return whether a `raise` statement of the package raised the error."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    raised = dis.opname[code.co_code[trace.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")
    return raised and code.co_filename.startswith(PACKAGE)


def faults(error: Exception, *names: str) -> list[str]:
    """Return what is wrong with an error that refuses an argument. The message must contain one of the names."""
    message = str(error)
    found = []
    if not is_ours(error):
        found.append("not raised by the package")
    if not isinstance(error, DOCUMENTED):
        found.append("not a documented exception")
    if not any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) for name in names):
        found.append(f"the message names none of {', '.join(names)}")
    return [f"{problem}: {type(error).__name__}: {message[:150]}" for problem in found]


# --- ops and operators ------------------------------------------------------------------------------

OPERANDS = {
    "float": lambda: 2.0,
    "Value": lambda: tinygraph.Value(0.5),
    "Tensor": lambda: Tensor([0.5, 0.25]),
}
OPERAND_LABELS = {"int", "negative int", "float", "nan", "infinity", "Value", "Tensor", "empty list"}


@pytest.mark.parametrize("kind", OPERANDS)
@pytest.mark.parametrize("name", [*ops.__all__, *[name for name in more_ops.FILES if name in TABLE]])
def test_an_op_names_itself_when_it_refuses_an_operand(name: str, kind: str) -> None:
    op = getattr(tinygraph, name)
    if not isinstance(op, Op):
        return
    problems = []
    for label, make in WRONG.items():
        for place in range(op.arity):
            operands = [OPERANDS[kind]() for _ in range(op.arity)]
            if isinstance(op, VariadicOp):
                operands = [[x] for x in operands]
            operands[place] = make()
            try:
                op(*operands)
            except Exception as error:
                problems += [f"{label} at {place}: {problem}" for problem in faults(error, op.name)]
            else:
                problems += [] if label in OPERAND_LABELS else [f"{label} at {place}: accepted"]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("label", WRONG)
def test_an_index_of_the_wrong_type_is_refused(label: str) -> None:
    t = Tensor([[1.0, 2.0], [3.0, 4.0]])
    if label in ("None", "empty list"):
        assert t[WRONG[label]()].size == t.data[WRONG[label]()].size
        return
    with pytest.raises((TypeError, IndexError)) as caught:
        t[WRONG[label]()]
    assert not faults(caught.value, "index")


@pytest.mark.parametrize("label", sorted(set(WRONG) - {"empty str", "str", "null character"}))
def test_a_name_of_the_wrong_type_is_refused(label: str) -> None:
    x = tinygraph.Value(1.0, "x")
    for rename in (lambda name: setattr(x, "name", name), lambda name: tinygraph.Value(1.0, name)):
        with pytest.raises(TypeError) as caught:
            rename(WRONG[label]())
        assert not faults(caught.value, "name")


@pytest.mark.parametrize("label", sorted(set(WRONG) - {"int", "negative int", "float", "nan", "infinity"}))
@pytest.mark.parametrize("kind", ["Value", "Tensor"])
def test_data_of_the_wrong_type_are_refused(kind: str, label: str) -> None:
    x = OPERANDS[kind]()
    before = np.copy(x.data)
    with pytest.raises((TypeError, ValueError)) as caught:
        x.data = WRONG[label]()
    assert not faults(caught.value, "data", kind)
    assert np.array_equal(x.data, before)


@pytest.mark.parametrize("label", sorted(set(WRONG) - {"None", "int", "negative int", "float", "nan", "infinity"}))
@pytest.mark.parametrize("kind", ["Value", "Tensor"])
def test_a_gradient_of_the_wrong_type_is_refused(kind: str, label: str) -> None:
    x = OPERANDS[kind]()
    (x * x).backward(seed=np.ones(np.shape(x.data)) if kind == "Tensor" else None)
    before = np.copy(x.grad)
    with pytest.raises((TypeError, ValueError)) as caught:
        x.grad = WRONG[label]()
    assert not faults(caught.value, "grad")
    assert np.array_equal(x.grad, before)


def test_a_gradient_that_you_set_has_the_type_and_the_shape_of_the_node() -> None:
    x, t = tinygraph.Value(2.0), Tensor([[0.5, 0.25]])
    for number in (0, 1.5, True, np.float64(2.0), np.array(3)):
        x.grad = number
        assert (type(x.grad), x.grad) == (float, float(number))
    for data in (0, 1.5, np.ones((1, 2)), [[1, 2]], np.ones((1, 2), np.float32)):
        t.grad = data
        assert (t.grad.dtype, t.grad.shape) == (float, (1, 2))
        assert np.array_equal(t.grad, np.broadcast_to(data, (1, 2)))
    t.grad += 1.0
    assert t.grad.tolist() == [[2.0, 2.0]]
    for wrong in (np.ones(2), np.ones((2, 1)), [1.0]):
        with pytest.raises(ValueError, match=r"^the grad has shape .*, but the Tensor has shape \(1, 2\)$"):
            t.grad = wrong
    x.grad = t.grad = None
    assert x.grad is t.grad is None


BINARY = (
    *("add", "sub", "mul", "truediv", "floordiv", "pow", "lt", "le", "gt", "ge", "matmul"),
    *("lshift", "rshift", "and_", "or_", "xor"),  # no op: Python or NumPy's protocol refuses every operand
)
OP_NAMES = {"truediv": "div", "floordiv": "floor_divide"}
UFUNC_NAMES = {"lshift": "left_shift", "rshift": "right_shift", "and_": "bitwise_and",
               "or_": "bitwise_or", "xor": "bitwise_xor"}  # fmt: skip


@pytest.mark.parametrize("kind", ["Value", "Tensor"])
@pytest.mark.parametrize("name", BINARY)
def test_an_operator_names_the_type_that_it_refuses(name: str, kind: str) -> None:
    function = getattr(operator, name)
    problems = []
    for label, make in WRONG.items():
        wrong = make()
        names = (
            OP_NAMES.get(name, name),
            "a comparison",
            "cannot order Values",
            "<",
            "<=",
            ">",
            ">=",
            f"np.{UFUNC_NAMES.get(name)}",
        )
        for operands in ((OPERANDS[kind](), wrong), (wrong, OPERANDS[kind]())):
            try:
                function(*operands)
            except TypeError as error:
                if f"'{kind}'" in str(error) and f"'{type(wrong).__name__}'" in str(error):
                    continue  # Python itself refuses
                problems += [f"{label}: {problem}" for problem in faults(error, *names)]
            except ValueError as error:
                problems += [f"{label}: {problem}" for problem in faults(error, *names)]
            else:
                problems += [] if label in OPERAND_LABELS else [f"{label}: accepted"]
    assert not problems, "\n".join(problems)
