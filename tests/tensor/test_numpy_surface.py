"""No function of NumPy silently returns plain numbers where a gradient was expected.

Every public callable of NumPy is called with nodes in the places of arrays. A call counts if it works for plain
arrays. With nodes, it must give nodes with the same values, or a plain result that does not change with the values of
the nodes, or a TypeError or ValueError of one sentence. A plain result that changes has lost its gradient.
"""

import contextlib
import copy
import inspect
import io
import warnings

import numpy as np
import pytest

from tinygraph import Tensor, Value
from tinygraph.engine.graph import Node

MODULES = {
    "": np,
    "linalg.": np.linalg,
    "fft.": np.fft,
    "ma.": np.ma,
    "emath.": np.emath,
    "char.": np.char,
    "strings.": np.strings,
    "rec.": np.rec,
    "lib.stride_tricks.": np.lib.stride_tricks,
    "polynomial.polynomial.": np.polynomial.polynomial,
    "polynomial.chebyshev.": np.polynomial.chebyshev,
    "random.": np.random,
}
# Functions that change NumPy's state, print, or write files.
NEVER_CALLED = [
    "test",
    "show_config",
    "show_runtime",
    "info",
    "save",
    "savez",
    "savez_compressed",
    "savetxt",
    "seterr",
    "seterrcall",
    "setbufsize",
    "set_printoptions",
    "printoptions",
    "set_state",
    "get_state",
    "set_bit_generator",
    "seed",
    "memmap",
    "fromfile",
    "load",
    "loadtxt",
    "genfromtxt",
    "fromregex",
    "dump",
]
# NumPy asks these for attributes that only an array has, without asking the node first. So do many functions of np.ma.
OTHER_ERRORS = {"from_dlpack", "isfortran", "rec.array"}

# NumPy tells an array from a number by its class, and takes a node for a number.
TAKEN_FOR_A_NUMBER = {
    f"polynomial.{name}"
    for name in [
        "polynomial.polyval",
        "polynomial.polygrid3d",
        "polynomial.polyvalfromroots",
        "chebyshev.chebval",
        "chebyshev.chebgrid3d",
    ]
}
UNINITIALIZED = {"empty_like", "ma.empty_like", "ma.masked_all_like", "ma.masked_all", "empty", "ma.empty"}
BY_IDENTITY = {"strings.equal", "strings.not_equal"}  # `==` compares nodes by identity


def callables():
    """Yield the dotted name and the object of each public callable, without exceptions."""
    for prefix, module in MODULES.items():
        for name in sorted(dir(module)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # deprecated names
                found = getattr(module, name, None)
            error = isinstance(found, type) and issubclass(found, BaseException)
            if callable(found) and not (
                name.startswith("_") or name in NEVER_CALLED or inspect.ismodule(found) or error
            ):
                yield prefix + name, found


def array(scale):
    return scale * np.array([[0.5, 0.7], [0.9, 1.3]])


def vector(scale):
    return scale * np.array([0.5, 0.7, 0.9])


def attempts(node, scale):
    """Return argument lists by label, with `node` made from the arrays that the scale changes."""
    plain, other = array(1.0), np.array([[1.1, 0.4], [0.8, 0.6]])
    m = np.array([[True, False], [False, True]])
    t, v = node(array(scale)), node(vector(scale))
    return {
        "t": (t,),
        "t, t": (t, t),
        "t, array": (t, other),
        "array, t": (other, t),
        "t, 0": (t, 0),
        "t, 1": (t, 1),
        "0, t": (0, t),
        "1.5, t": (1.5, t),
        "t, t, t": (t, t, t),
        "array, array, t": (other, plain, t),
        "t, 0, 1": (t, 0, 1),
        "array, 0, t": (other, 0, t),
        "array, [0], t": (other, [0], t),
        "[t, t]": ([t, t],),
        "[t, array]": ([t, other],),
        "[[t, t], [t, t]]": ([[t, t], [t, t]],),
        "v": (v,),
        "v, v": (v, v),
        "v, [...], [...]": (v, [0.0, 1.0, 2.0], [1.0, 2.0, 3.0]),
        "0.3, v, [...]": (0.3, v, [1.0, 2.0, 3.0]),
        "0.3, [...], v": (0.3, [0.0, 1.0, 2.0], v),
        "[...], v, 1": ([0.0, 1.0, 2.0], v, 1),
        "mask, t": (m, t),
        "mask, t, t": (m, t, t),
        "mask, array, t": (m, other, t),
        "t, mask": (t, m),
        "t, mask, t": (t, m, t),
        "t, mask, array": (t, m, other),
        "array, mask, t": (other, m, t),
        "[mask], [t]": ([m], [t]),
        "[mask], [array], t": ([m], [other], t),
        "mask as integers, [t, t]": (m.astype(int), [t, t]),
        "t, integers": (t, m.astype(int)),
        "t, integers, 0": (t, m.astype(int), 0),
        "array, integers, t, 0": (other, m.astype(int), t, 0),
        "subscripts, t": ("ij->i", t),
        "subscripts, t, array": ("ij,jk->ik", t, other),
        "np.sum, t": (np.sum, t),
        "np.sum, 0, t": (np.sum, 0, t),
        "np.sum, t, 0": (np.sum, t, 0),
        "shape, t": ((2, 2), t),
        "t, shape": (t, (2, 2)),
        "t, 1, 2": (t, 1, 2),
    }


LABELS = list(attempts(np.asarray, 1.0))


def leaves(result):
    """Yield the parts of a result: of tuples, lists, dicts and object arrays."""
    if isinstance(result, (tuple, list)):
        for part in result:
            yield from leaves(part)
    elif isinstance(result, dict):
        yield from leaves(list(result.values()))
    elif isinstance(result, np.ndarray) and result.dtype == object:
        yield from leaves(result.tolist())
    else:
        yield result


def call(function, args, deprecated="ignore"):
    """Return the result and the arguments after the call; nothing is printed, and there are no warnings."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter(deprecated, DeprecationWarning)
        np.random.seed(1)
        result = function(*args)
        if inspect.isgenerator(result):
            result = list(result)
    return result, args


def differ(x, y):
    """Return whether two plain results differ in a number. Text and other objects contain no gradient."""
    x, y = (
        np.asarray(part) if isinstance(part, (np.ndarray, np.generic, float, int, complex)) else None for part in (x, y)
    )
    return x is not None and x.dtype.kind in "biufc" and not np.array_equal(x, y, equal_nan=x.dtype.kind in "fc")


def fault(name, function, label, node):
    """Return what is wrong with a call, or None."""
    try:
        expected, _ = call(function, copy.deepcopy(attempts(np.asarray, 1.0)[label]), "error")
    except Exception:
        return None  # not a call that anyone makes
    try:
        found, after = call(function, attempts(node, 1.0)[label])
        other, later = call(function, attempts(node, 1.001)[label])
    except (TypeError, ValueError) as error:
        message = str(error)
        return f"the message has several lines: {message}" if "\n" in message else None
    except Exception as error:
        usual = name in OTHER_ERRORS or name.startswith("ma.") or node is objects
        return None if usual else f"{type(error).__name__} instead of TypeError: {error}"
    ours = list(leaves(found))
    if ours and all(isinstance(x, Node) for x in ours):
        right = agree(ours, leaves(expected)) or name in TAKEN_FOR_A_NUMBER
        return None if right else f"{found!r} instead of {expected!r}"
    right = same_plain(ours, list(leaves(expected))) or name in BY_IDENTITY or node is objects
    if not right:
        return f"{found!r} instead of {expected!r}"
    changed = [*ours, *plain_arrays(after)], [*leaves(other), *plain_arrays(later)]
    return f"lost the gradient: {found!r}" if any(differ(x, y) for x, y in zip(*changed, strict=False)) else None


def same_plain(ours, expected):
    """Return whether a plain result is that of plain arrays, where it consists of numbers or truth values."""
    return not any(differ(x, y) for x, y in zip(ours, expected, strict=False) if not isinstance(x, Node))


def plain_arrays(args):
    return [x for x in leaves(list(args)) if isinstance(x, np.ndarray)]


def agree(ours, expected):
    """Return whether nodes have the values of the plain result."""
    numbers = [np.ravel(x.data) for x in ours], [np.ravel(x) for x in expected]
    ours, theirs = [np.concatenate([*part, np.zeros(0)]) for part in numbers]
    return ours.shape == theirs.shape and np.allclose(ours, theirs, rtol=1e-12, atol=1e-13, equal_nan=True)


def objects(array):
    """Return an object array of Values."""
    out = np.empty(array.shape, dtype=object)
    out.ravel()[:] = [Value(float(x)) for x in array.ravel()]
    return out


CALLABLES = {name: found for name, found in callables() if name not in UNINITIALIZED}
# Functions that read the addresses of the elements of an object array, or return one of their operands.
OF_OBJECTS = {"frombuffer", "ma.frombuffer", "ma.ids", "ma.mvoid", "rec.fromstring"} | {
    f"{module}logical_{name}" for name in ("and", "or") for module in ("", "ma.")
}


def faults(name, node):
    found = {label: fault(name, CALLABLES[name], label, node) for label in LABELS}
    return {label: text for label, text in found.items() if text}


@pytest.mark.parametrize("name", CALLABLES)
def test_a_tensor_never_loses_its_gradient(name):
    assert not faults(name, Tensor)


@pytest.mark.parametrize("name", sorted(CALLABLES.keys() - OF_OBJECTS))
def test_an_array_of_values_never_loses_its_gradient(name):
    """NumPy does not ask the elements of an object array, so its own errors differ."""
    assert not faults(name, objects)


def test_the_calls_that_are_compared():
    dispatching = {name for name, f in CALLABLES.items() if type(f).__name__ == "_ArrayFunctionDispatcher"}
    tried = {name for name, f in CALLABLES.items() if any(works(f, label) for label in LABELS)}
    assert len(dispatching) > 280
    assert len(dispatching & tried) > 0.85 * len(dispatching)
    assert len({name for name in tried if isinstance(CALLABLES[name], np.ufunc)}) > 90


def works(function, label):
    try:
        call(function, attempts(np.asarray, 1.0)[label])
    except Exception:
        return False
    return True


def refuse(x):
    if isinstance(x, Tensor):
        raise TypeError("one line\nand another one")


def test_a_lost_gradient_is_found():
    assert "lost" in fault("cut", lambda x: np.sum(x.data if isinstance(x, Tensor) else x), "t", Tensor)
    assert "lost" in fault("put", lambda x, y: np.copyto(x, getattr(y, "data", y)), "array, t", Tensor)
    assert "instead of" in fault("wrong", lambda x: x * 2.0 if isinstance(x, Tensor) else x, "t", Tensor)
    assert "lines" in fault("text", refuse, "t", Tensor)
    assert fault("argmax", lambda x: np.argmax(getattr(x, "data", x)), "t", Tensor) is None
