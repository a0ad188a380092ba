"""Docstrings describe the parameters of every public callable, because the reference pages are made from them."""

import dataclasses
import functools
import inspect
import operator
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import tinygraph
from tinygraph import misconceptions
from tinygraph.engine.acceleration import TWINS
from tinygraph.engine.op import Op

PAGES = sorted(Path(__file__).parents[2].glob("docs/reference/*.md"))
# Modules with public names.
EXPORTING = ("bridges", "checking", "datasets", "drawing", "logistic", "misconceptions", "nn", "testing")

# The code of a wrong pass is shown on a page, so its docstring stays short. `Misconception` describes the parameters.
SHOWN_AS_CODE = {function for item in misconceptions.LAB for function in (item.run, item.program)}


def _public() -> Iterator[tuple[str, object]]:
    """Yield every exported object and every object with a reference entry, each with its name."""
    for name in {*tinygraph.__all__, *tinygraph._LATER}:
        yield name, getattr(tinygraph, name)
    for name in EXPORTING:
        module = import_module(f"tinygraph.{name}")
        own = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        for key in getattr(module, "__all__", own):
            if not key.startswith("_"):
                yield f"{name}.{key}", getattr(module, key)
    for page in PAGES:
        for path in re.findall(r"^::: ([\w.]+)", page.read_text("utf-8"), re.MULTILINE):
            yield path.removeprefix("tinygraph."), pkgutil.resolve_name(path)


def _is_ours(found: object) -> bool:
    return str(getattr(found, "__module__", "")).partition(".")[0] == "tinygraph"


def _methods(cls: type) -> Iterator[tuple[str, object]]:
    """Yield the public methods of a class, including the inherited ones that the package defines."""
    for name in dir(cls):
        method = inspect.getattr_static(cls, name)
        if isinstance(method, (property, functools.cached_property)):
            continue
        method = inspect.unwrap(getattr(method, "__func__", method))
        if not name.startswith("_") and inspect.isfunction(method) and _is_ours(method) and method not in SHOWN_AS_CODE:
            yield name, method


def _callables() -> dict[str, object]:
    """Return the public functions, methods and classes of the package, each once."""
    found: dict[object, str] = {}
    for name, value in sorted(_public(), key=lambda entry: (entry[0].count("."), entry[0])):  # short names first
        if isinstance(value, Op) or not callable(value):  # docs/reference/ops.md lists the ops with their operands
            continue
        value = TWINS[value.__name__] if inspect.isbuiltin(value) else inspect.unwrap(value)
        if not _is_ours(value) or value in SHOWN_AS_CODE:
            continue
        found.setdefault(value, name)
        for method, function in _methods(value) if isinstance(value, type) else ():
            found.setdefault(function, f"{name}.{method}")
    return {name: value for value, name in found.items()}


def _parameters(value: object) -> set[str]:
    """Return the names of the parameters that a caller passes."""
    if isinstance(value, type) and not (dataclasses.is_dataclass(value) or hasattr(value, "_fields")):
        maker = value.__init__ if value.__init__ is not object.__init__ else value.__new__
        if not _is_ours(inspect.unwrap(maker)):  # inherited, for example from Exception
            return set()
    names = [p.name for p in inspect.signature(value).parameters.values()]
    return {name for name in names if not name.startswith("_")} - {"self", "cls"}


def _described(value: object) -> set[str]:
    """Return the names in the `Args:` section of a docstring, or in `Attributes:` for a dataclass."""
    sections = ("Args:", "Attributes:") if dataclasses.is_dataclass(value) else ("Args:",)
    names, inside = set(), False
    for line in (inspect.getdoc(value) or "").split("\n"):
        if line and not line.startswith(" "):
            inside = line in sections
        entry = re.match(r" {4}\*{0,2}(\w+): \S", line)
        if inside and entry:
            names.add(entry[1])
    return names


CALLABLES = _callables()


@pytest.mark.parametrize("name", CALLABLES)
def test_every_parameter_of_a_public_callable_is_described(name):
    value = CALLABLES[name]
    parameters, described = _parameters(value), _described(value)
    if value is tinygraph.drawing.DrawOptions:  # `draw` explains each option
        described = _described(tinygraph.draw)
    assert not parameters - described, "parameters that Args: does not describe"
    if not dataclasses.is_dataclass(value):
        assert not described - parameters, "entries of Args: that are not parameters"


def test_the_parts_that_the_test_must_find():
    names = CALLABLES.keys()
    assert {"draw", "Stepper", "Stepper.goto", "Value", "Tensor", "logistic.LogisticRegression.fit"} <= names
    assert {"power", "datasets.Scaler.fit", "misconceptions.Misconception.compare", "testing.points"} <= names


@pytest.mark.parametrize("kind", ["Value", "Tensor"])
def test_the_tables_of_a_class_list_its_operators_and_its_methods(kind):
    from tools.site import methods

    cls = getattr(tinygraph, kind)
    python = {name for name in dir(operator) if name.startswith("__") and not hasattr(type, name)}
    overloaded = {name for name in python if getattr(cls, name, None)} - {"__index__"}
    assert overloaded <= methods.OPERATORS.keys()
    table = methods.operators(kind)
    assert "| `x * y` | [`mul`](ops.md#mul) |" in table
    assert ("`x @ y`" in table) == (kind == "Tensor")
    names = {name for names in methods.recording(kind).values() for name in names}
    assert {"exp", "log", "sigmoid", "relu", "tanh", "abs", "arcsin"} <= names
    assert all(f"`x.{name}()`" in methods.methods(kind) for name in names)


def test_a_missing_parameter_is_found():
    def scale(x, *, factor=1.0):
        """Return a multiple.

        Args:
            x: Number to multiply, for example
                factor: this line continues the entry above.

        Returns:
            The product.
        """

    assert _parameters(scale) - _described(scale) == {"factor"}


def test_the_index_names_each_public_function_on_its_page():
    texts = {path.name: path.read_text("utf-8") for path in PAGES}
    rows = dict(re.findall(r"^\| \[[^]]+\]\(([\w-]+\.md)\) \| (.+) \|$", texts["index.md"], re.MULTILINE))
    missing = []
    for page, row in rows.items():
        for module, name in re.findall(r"^::: ([\w.]+)\.(\w+)$", texts.get(page, ""), re.MULTILINE):
            found = getattr(import_module(module), name)
            error = isinstance(found, type) and issubclass(found, Exception)
            if found is getattr(tinygraph, name, None) and not error and f"`{name}`" not in row:
                missing.append((page, name))
    assert missing == []
    assert len(rows) > 10
