"""The format of a saved graph: its version, its schema, and the encoding of values and op parameters.

The schema is `graph.schema.json`, in the same folder as this file. A saved graph has one node per line, in the order
in which the nodes were computed. An operand is the index of an earlier node, counted from 0. Values are restored bit
for bit. Infinite values and NaN are strings, because JSON numbers cannot represent these values. An op is stored as its
name, or as a list with the name of the function that creates the op, followed by the function's parameters.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable
from importlib.resources import files
from typing import Any, NoReturn, TypeVar

import numpy as np

from tinygraph.kernels.arrays import Array
from tinygraph.support.messages import short
from tinygraph.tensor.array_ops import is_shape

FORMAT = "tinygraph graph"
VERSION = 1
ONE_PASS = "one pass"
_PLAIN_NAN = struct.pack("<d", math.nan)
_SHORT = 32  # number of elements up to which an array is read as a list
_NAMES = ("inf", "-inf", "nan")
_NAN = re.compile("nan:[0-9a-f]{16}")

_T = TypeVar("_T")


class GraphFileError(ValueError):
    """The file does not contain a graph, or its contents are inconsistent."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the format.

    Examples:
        >>> schema()["properties"]["format"]
        {'const': 'tinygraph graph'}
    """
    text = files("tinygraph.saving").joinpath("graph.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


# --- errors in a file -------------------------------------------------------------------------------


def fail(what: str) -> NoReturn:
    """Reject a file. `load` adds the file name and the position of the error to the message.

    Args:
        what: Description of the error.

    Raises:
        GraphFileError: Always.
    """
    raise GraphFileError(what)


def shown(found: object) -> str:
    """Return the text that messages show for an object from a file.

    Args:
        found: Object from the file.

    Returns:
        The object's repr, shortened to 60 characters.
    """
    return short(repr(found), 60)


def typed(found: object, kind: type[_T], what: str, be: str) -> _T:
    """Return an object from a file if the object has exactly the given type.

    Args:
        found: Object from the file.
        kind: Required type. Subclasses are rejected, so a bool does not count as an int.
        what: Name of the object, for messages.
        be: Description of the type, for messages.

    Returns:
        The object.

    Raises:
        GraphFileError: If the type is different.
    """
    if isinstance(found, kind) and type(found) is kind:
        return found
    fail(f"{what} must be {be}, not {shown(found)}")


# --- values -----------------------------------------------------------------------------------------


def encode(x: float | Array) -> object:
    """Return a value as JSON: a number, a string, or an object with shape and elements.

    Args:
        x: Number or NumPy array.

    Returns:
        An object that the `json` module can write.

    Raises:
        TypeError: If `x` is an array from another library.

    Examples:
        >>> encode(0.5), encode(math.inf), encode(np.array([[1.0, 2.0]]))
        (0.5, 'inf', {'shape': [1, 2], 'elements': [1.0, 2.0]})
    """
    if type(x) is float:
        return x if math.isfinite(x) else _name(x)
    if isinstance(x, np.ndarray):
        elements = x.ravel().tolist()
        if not np.isfinite(x).all():
            return {"shape": list(x.shape), "elements": list(map(encode, elements))}
        return {"shape": list(x.shape), "elements": elements}
    if isinstance(x, (int, float, np.floating, np.integer)):
        return encode(float(x))
    kind = type(x).__module__.partition(".")[0]
    raise TypeError(
        f"a lazy array of {kind} cannot be saved: compute it first, and convert the result to a NumPy array"
    )


def _name(x: float) -> str:
    """Return the string that encodes an infinite value, or a NaN with all its bits."""
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    bits = struct.pack("<d", x)
    return "nan" if bits == _PLAIN_NAN else f"nan:{bits[::-1].hex()}"


def decode(found: object, what: str, like: float | Array | None = None) -> float | Array:
    """Return a value that `encode` wrote.

    Args:
        found: Object from the file.
        what: Name of the value, for messages.
        like: Value whose shape is required, or None for any shape.

    Returns:
        A float or an array.

    Raises:
        GraphFileError: If `found` is not an encoded value, or if its shape differs from the shape of `like`.

    Examples:
        >>> decode({"shape": [1, 2], "elements": [1.0, "nan"]}, "data")
        array([[ 1., nan]])
    """
    value: float | Array
    if type(found) is float and (like is None or type(like) is float) and not math.isinf(found):
        return found  # the most frequent case
    if isinstance(found, dict):
        if found.keys() != {"shape", "elements"}:
            fail(f'{what} must be a number, or an array with "shape" and "elements"')
        elements = found["elements"]
        if not isinstance(elements, np.ndarray):
            elements = typed(elements, list, what, "an array with a list of elements")
            if not _are_finite(elements):
                elements = [decode_float(x, what) for x in elements]
        value = _array(elements, found["shape"], np.float64)
    else:
        value = decode_float(found, what)
    if like is not None and np.shape(value) != np.shape(like):
        fail(f"{what} has shape {np.shape(value)}, but the node's data has shape {np.shape(like)}")
    if like is not None and isinstance(value, float) != isinstance(like, float):
        fail(f"{what} must be {'a number' if isinstance(like, float) else 'an array'}, like the node's data")
    return value


def pack(found: dict[str, object]) -> None:
    """Replace the elements of an encoded array by a NumPy array, which takes a quarter of the memory of a list.

    Elements that are not finite floats stay a list, which `decode` checks element by element. A short list stays a list
    too, because an array takes more memory and time.

    Args:
        found: Object from the file.

    Examples:
        >>> found = {"shape": [100], "elements": [0.5] * 100}
        >>> pack(found); found["elements"].nbytes
        800
    """
    elements = found.get("elements")
    if type(elements) is list and len(elements) > _SHORT and "shape" in found and _are_finite(elements):
        found["elements"] = np.array(elements)


def _are_finite(elements: list[Any]) -> bool:
    """Return whether all elements are finite floats, as in most arrays."""
    return set(map(type, elements)) == {float} and all(map(math.isfinite, elements))


def decode_float(found: object, what: str) -> float:
    """Return the float that `encode` wrote, with the same bits.

    Args:
        found: Object from the file.
        what: Name of the value, for messages.

    Returns:
        The float.

    Raises:
        GraphFileError: If `found` is not an encoded float.
    """
    if type(found) is int and abs(found) < 2**1023:
        return float(found)
    if isinstance(found, str):
        if found in _NAMES:
            return float(found)
        if _NAN.fullmatch(found):
            number: float = struct.unpack(">d", bytes.fromhex(found[4:]))[0]
            if math.isnan(number):
                return number
    if type(found) is float and not math.isinf(found):  # Python reads 1e999 as infinity
        return found
    fail(f'{what} must be a float, "inf", "-inf" or "nan", not {shown(found)}')


def _array(elements: list[Any] | Array, found: object, dtype: type) -> Any:
    """Check that the number of elements matches the shape from the file, and return the array."""
    shape = tuple(typed(found, list, '"shape"', "a list"))
    if not is_shape(shape) or len(shape) > 32 or math.prod(shape) != len(elements):
        fail(f"there are {len(elements)} elements, but the shape is {shown(shape)}")
    try:
        return np.asarray(elements, dtype=dtype).reshape(shape)
    except (OverflowError, ValueError) as error:
        fail(str(error))


# --- parameters of ops ------------------------------------------------------------------------------


def encode_parameter(x: Any) -> object:
    """Return an op parameter as JSON.

    Args:
        x: Shape, axis, exponent, name, or NumPy index.

    Returns:
        An object that the `json` module can write.

    Examples:
        >>> encode_parameter((slice(None, 2), 0))
        {'tuple': [{'slice': [None, 2, None]}, 0]}
    """
    if isinstance(x, (tuple, list)):
        return {type(x).__name__: list(map(encode_parameter, x))}
    if isinstance(x, slice):
        return {"slice": [encode_parameter(end) for end in (x.start, x.stop, x.step)]}
    if x is ...:
        return {"slice": "all"}
    if isinstance(x, np.ndarray):
        kind = "mask" if x.dtype == bool else "indices"
        return {kind: x.ravel().tolist(), "shape": list(x.shape)}
    if x is None or isinstance(x, (bool, str)):
        return x
    return int(x) if isinstance(x, (int, np.integer)) else encode(float(x))


def decode_parameter(found: object) -> object:
    """Return a parameter that `encode_parameter` wrote. The op later checks whether the parameter is valid.

    Args:
        found: Object from the file.

    Returns:
        The parameter.

    Raises:
        GraphFileError: If `found` is not an encoded parameter.

    Examples:
        >>> decode_parameter({"tuple": [{"slice": [None, 2, None]}, 0]})
        (slice(None, 2, None), 0)
    """
    if isinstance(found, dict):
        for keys, read in _READERS.items():
            if found.keys() == set(keys):
                return read(*[found[key] for key in keys])
        fail(f"{shown(found)} is not a parameter of an op")
    if found is None or isinstance(found, (bool, int)):
        return found
    if isinstance(found, str) and found not in _NAMES and not found.startswith("nan:"):
        return found
    return decode(found, "a parameter of an op")


def _decode_slice(found: object) -> object:
    if found == "all":
        return ...
    ends = typed(found, list, "a slice", 'a list of three elements (integers or null), or "all"')
    if len(ends) != 3:
        fail(f"a slice must have a start, a stop and a step, not {shown(ends)}")
    return slice(*[None if x is None else typed(x, int, "an end of a slice", "an integer") for x in ends])


def _elements(found: object, kind: type, what: str) -> list[object]:
    return [typed(x, kind, what, kind.__name__) for x in typed(found, list, what, "a list")]


def _decode_all(found: object, kind: str) -> list[object]:
    return list(map(decode_parameter, typed(found, list, kind, "a list")))


_READERS: dict[tuple[str, ...], Callable[..., object]] = {
    ("tuple",): lambda found: tuple(_decode_all(found, "a tuple")),
    ("list",): lambda found: _decode_all(found, "a list"),
    ("slice",): _decode_slice,
    ("indices", "shape"): lambda found, shape: _array(_elements(found, int, "indices"), shape, np.int64),
    ("mask", "shape"): lambda found, shape: _array(_elements(found, bool, "mask"), shape, bool),
}
