"""The source text of a program: readable NumPy code, or the version that runs fastest."""

from __future__ import annotations

import keyword
import math
import operator
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tinygraph.engine import ops
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.op import Op, Traced
from tinygraph.engine.ops import neg, sigmoid
from tinygraph.explaining.code import (
    ATOM,
    PRODUCT,
    binding,
    fill,
    in_parentheses,
    maker_code,
    module_of,
    number_code,
    template_of,
)
from tinygraph.explaining.textbook.forms import fill as in_textbook
from tinygraph.explaining.textbook.forms import operations, parsed
from tinygraph.kernels import arrays
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.reductions import mean_over, sum_over
from tinygraph.tensor.shapes import expand, reshape
from tinygraph.vectorizing.flat import Array
from tinygraph.vectorizing.program import Line, Program
from tinygraph.vectorizing.views import TRANSPOSE

Kernel = Callable[..., Any]
WIDTH = 100  # maximum length of a line of source text, in characters
_TAKEN = ("np", "arrays", "scatter_add", "slice", "add_up", "check", "power", "power_partial")
_COMPARE_WITH_Y = ops.binary_cross_entropy, ops.binary_cross_entropy_with_logits, ops.squared_error, ops.sub


class Writer:
    """Writes the source text of a program.

    Args:
        program: Program to write.
        fast: If true, write the version that runs fastest. If false, write readable NumPy code.
        careful: If true, each op gives the same bits as its kernel, even for values that are not finite.

    Attributes:
        text: The lines of source text.
        names: The name of each program line in the source text.
        functions: The functions that the source text needs besides NumPy (`np`), by name.
        constants: The arrays that the source text needs, by name.
        imports: The names that the source text imports, by module.
        ends: The number of lines of source text up to the end of each program line.
    """

    def __init__(self, program: Program, fast: bool = False, careful: bool = False) -> None:
        self.program, self.fast = program, fast
        self.exact = fast or careful  # whether each op gives the same bits as its kernel
        self.text: list[str] = []
        self.functions: dict[str, object] = {}
        self.imports: dict[str, set[str]] = {}
        self.constants: dict[str, object] = {}
        self.names: dict[Line, str] = {}
        self._written: dict[Line, tuple[str, int]] = {}
        self._taken = {*_TAKEN, *keyword.kwlist, *TABLE}
        self._counts: dict[str, int] = {}  # how often each name was requested
        self._called: dict[object, str] = {}  # the name of each function and op in the source text
        self._formulas: dict[str, str] = {}  # textbook formula of each called op, by the beginning of its call
        self._results = set(program.results)
        self.ends: dict[Line, int] = {}  # number of lines of source text after each program line
        for line in (*program.inputs, *[line for line in program.lines if line.names]):
            self.names[line] = self._unique(line.names[0])
        self._partner = self._pairs() if fast else {}
        self._first_user = {arg: line for line in reversed(program.lines) for arg in line.args}
        # Inputs come last, because the other names of an input are names of derivatives.
        for line in (*program.lines, *program.inputs):
            if line.op is not None or line.plain:
                self._write(line)
            for alias in line.names[1:]:
                self.text.append(f"{self._unique(alias)} = {self.names[line]}")
            self.ends[line] = len(self.text)
        if not fast:
            self.text = list(map(self._explained, self.text))

    def _explained(self, text: str) -> str:
        """Return a line with the textbook formulas of its functions as a comment: beside it, or above a long line."""
        found = [call for call in self._formulas if re.search(rf"(?<![\w.]){re.escape(call)}", text)]
        notes = list(filter(None, map(self._formulas.pop, found)))
        if not notes:
            return text
        beside = f"{text}  # {', '.join(notes)}"
        return beside if len(beside) <= WIDTH else "\n".join([*[f"# {note}" for note in notes], text])

    def name(self, line: Line) -> str:
        """Return the name of an input or a result in the source text, or the code for a plain number.

        Args:
            line: Line of the program.

        Returns:
            The name, or the number as code.
        """
        return self._text_of(line, 0)

    # --- names

    def _unique(self, name: str) -> str:
        # Python normalizes identifiers in the same way.
        name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name)).strip("_") or "v"
        name = name if name.isidentifier() else f"v{name}" if f"v{name}".isidentifier() else "v"
        unique, k = name, self._counts.get(name, 0)
        while unique in self._taken:
            k += 1
            unique = f"{name}{k}"
        self._counts[name] = k
        self._taken.add(unique)
        return unique

    def constant(self, value: Any, hint: str) -> str:
        """Return a name for an object that is passed to the generated code.

        Args:
            value: The object.
            hint: Name to use if it is free.

        Returns:
            A unique name.
        """
        name = self._unique(hint)
        self.constants[name] = value
        return name

    # --- lines

    def _pairs(self) -> dict[Line, tuple[Line, Line, Kernel]]:
        """Find pairs of array lines that contain the same exponential, so that one function can compute both.

        Return a dict from each line of a pair to (first line, second line, function).
        """
        by_args = {(line.op, *line.args): line for line in self.program.lines if line.op is not None and line.shape}
        pairs: dict[Line, tuple[Line, Line, Kernel]] = {}
        for line in by_args.values():
            assert line.op is not None
            first: Line | None = None
            if line.op is sigmoid and line.args[0].op is neg:
                first, function = by_args.get((sigmoid, *line.args[0].args)), arrays.sigmoid_and_rest
            elif line.op in _partials():
                op = _partials()[line.op]
                first, function = by_args.get((op, *line.args)), getattr(arrays, op.with_partial)
            if first is not None:
                pairs[first] = pairs[line] = first, line, function
        return pairs

    def _write_pair(self, first: Line, second: Line, function: Kernel) -> None:
        """Write two lines of the program as one line of source text."""
        takes = ", ".join([self._text_of(arg, 0) for arg in first.args])
        for line in (first, second):
            self._written[line] = self._name(line), ATOM
        self.functions[function.__name__] = function
        self.text.append(f"{self.names[first]}, {self.names[second]} = {function.__name__}({takes})")

    def _write(self, line: Line) -> None:
        if line in self._partner:
            if line not in self._written:
                self._write_pair(*self._partner[line])
        elif not line.plain:
            self._write_op(line)
        elif line.shape:
            name = self.constant(line.value, self._hint(line))
            if line in self.names:
                self.text.append(f"{self.names[line]} = {name}")
            else:
                self.names[line] = name
            self._written[line] = self.names[line], ATOM
        else:
            number = self._number_of(line.value)
            if line in self.names:
                self.text.append(f"{self.names[line]} = {number}")
                number = self.names[line]
            self._written[line] = number, binding(number)

    def _number_of(self, value: Array | float | None) -> str:
        """Return a plain number as code. The inverse of an integer can become a quotient, such as 1 / 3."""
        assert isinstance(value, float)
        number = number_code(value)
        if len(number) > 8 and value and not self.fast:
            inverse = number_code(1.0 / value)
            if inverse.removeprefix("-").isdigit() and 1.0 / int(inverse) == value:  # not 1e-15 or np.inf
                return f"1 / {inverse}"
        return number

    def _write_op(self, line: Line) -> None:
        """Write a line with an op, or keep its expression if only one line uses the result."""
        text, bound = self._expression(line)
        while len(text) > WIDTH:
            inner = [arg for arg in line.args if arg not in self.names and len(self._written[arg][0]) > 20]
            if not inner:
                break
            longest = max(inner, key=lambda arg: len(self._written[arg][0]))
            self.text.append(f"{self._name(longest)} = {self._written[longest][0]}")
            text, bound = self._expression(line)
        costs_nothing = line.op is TRANSPOSE or (line.op is not None and line.op.maker is expand)
        if line in self.names or line in self._results or (line.uses > 1 and not costs_nothing):
            self.text.append(f"{self._name(line)} = {text}")
            text, bound = self.names[line], ATOM
        self._written[line] = text, bound

    def _name(self, line: Line) -> str:
        if line not in self.names:
            self.names[line] = self._unique("v")
        return self.names[line]

    def _hint(self, line: Line) -> str:
        """Return the lecture's name for data: Y for labels in a loss, X for a matrix factor, and C otherwise."""
        user = self._first_user.get(line)
        if user is None or user.op is None:
            return "C"
        if user.op is matmul:
            return "X"
        return "Y" if user.op in _COMPARE_WITH_Y and user.args[1] is line else "C"

    # --- expressions

    def _text_of(self, line: Line, bound: int) -> str:
        """Return the expression of a line, in parentheses if it binds less tightly than `bound`."""
        if line in self.names:
            return self.names[line]
        return in_parentheses(*self._written[line], bound)

    def _expression(self, line: Line) -> tuple[str, int]:
        """Return the expression of a line with an op, and how tightly it binds."""
        assert line.op is not None
        text, bound = self._array_op(line) or self._call(line.op, line)
        if self.fast and not line.shape and not line.op.elementwise:
            return f"float({text})", ATOM  # kernels need floats, and NumPy's scalars are slower
        return text, bound

    def _call(self, op: Op, line: Line) -> tuple[str, int]:
        """Return the op's template with the operands filled in, or a function call."""
        if op.code and (_is_exact(op, bool(line.shape)) or (not self.exact and _is_readable(op))):
            template = template_of(op)
            needs = [0] * len(line.args) if op.variadic else list(template.needs)
            if template.associative and not self.fast and len(needs) == 2 and not _is_in_order(line.args[1]):
                needs[1] = template.binds
            operands = [self._text_of(arg, need) for arg, need in zip(line.args, needs, strict=True)]
            return fill(op, operands, self._array), template.binds
        function = self._function(op, bool(line.shape))
        operands = [self._text_of(arg, 0) for arg in line.args]
        if f"{function}(" not in self._formulas:
            self._formulas[f"{function}("] = _formula(function, op, operands, bool(line.shape))
        return f"{function}({', '.join(operands)})", ATOM

    def _array_op(self, line: Line) -> tuple[str, int] | None:
        """Return code for an array op whose template is slow or does not fit scalars, or None for other ops."""
        assert line.op is not None
        x = line.args[0]
        if line.op.maker is reshape and not line.shape:
            return f"{self._text_of(x, ATOM)}.item()", ATOM
        if line.op.maker is reshape and not x.shape:
            return f"np.reshape({self._text_of(x, 0)}, {line.shape})", ATOM
        if self.fast and line.op.maker in (sum_over, mean_over):
            axis, keepdims = line.op.parameters
            self.functions["add_up"] = np.add.reduce
            summed = f"add_up({self._text_of(x, 0)}, axis={axis}{', keepdims=True' if keepdims else ''})"
            count = math.prod(x.shape) // (math.prod(line.shape) or 1)  # a result without elements has no mean
            return (summed, ATOM) if line.op.maker is sum_over else (f"{summed} / {count}", PRODUCT)
        return None

    def _function(self, op: Op, of_arrays: bool) -> str:
        """Return the name of the function for an op."""
        if self.fast and op.elementwise:
            function = op.arrays if of_arrays else op.floats
            if function not in self._called:
                called = self._called[function] = self._unique(f"{op.name}_of_{'arrays' if of_arrays else 'floats'}")
                self.functions[called] = function
            return self._called[function]
        if of_arrays and (name := _numpy_name(op)):
            return f"np.{name}"
        if TABLE.get(op.name) is op:
            self._import(module_of(op), op.name, op)
            return op.name
        if op.maker:
            self._import(op.maker.__module__, op.maker.__name__, op.maker)
            return maker_code(op, self._array)
        if op not in self._called:  # an op that the user defined
            self._called[op] = self._unique(op.name)
            self.functions[self._called[op]] = op
        return self._called[op]

    def _import(self, module: str, name: str, function: object) -> None:
        self.imports.setdefault(module, set()).add(name)
        self.functions[name] = function

    def _array(self, array: Array) -> str:
        """Return the name of an array among the parameters of an op."""
        for name, value in self.constants.items():
            if value is array:
                return name
        return self.constant(array, "k")


def _is_in_order(line: Line) -> bool:
    """Return whether a line is a difference or a quotient, which must be computed in order."""
    if line.op is None or not line.op.code:
        return False
    template = template_of(line.op)
    return bool(template.operator) and not template.associative


def _formula(function: str, op: Op, operands: list[str], of_arrays: bool) -> str:
    """Return what a function computes as a textbook prints it, or "" if its name shows that.

    An operand that is not a name is replaced by the letter of the textbook.
    """
    if not op.form or operations(op.form) < 2:
        return ""
    letters = parsed(op.form).letters
    names = operands if all(map(str.isidentifier, operands)) else list(letters[: op.arity])
    return f"{function}({', '.join(names)}) = {in_textbook(op.form, names, elementwise=of_arrays)}"


# --- properties of ops -------------------------------------------------------------------------------

_UFUNCS: dict[object, str] = {
    "add": "Add", "subtract": "Sub", "multiply": "Mult", "divide": "Div", "negative": "USub",
}  # fmt: skip


def _is_exact(op: Op, of_arrays: bool) -> bool:
    """Return whether the template of an op gives the same bits as its kernel and never raises an error."""
    if not op.elementwise:
        return True
    if of_arrays:
        return op.array_source in _UFUNCS and template_of(op).operator == _UFUNCS[op.array_source]
    return op.floats.__module__ == operator.add.__module__  # Python's own / and ** raise errors


def _is_readable(op: Op) -> bool:
    """Return whether the template is correct for finite values.

    The template `x ** y` is not correct, because its result can be complex.
    """
    return op.arity == 1 or template_of(op).operator != "Pow"


def _numpy_name(op: Op) -> str:
    """Return the name of the NumPy function that is the kernel for arrays, or ""."""
    source = op.array_source
    return source if isinstance(source, str) and not hasattr(arrays, source) else ""


@cache
def _partials() -> dict[Op, Op]:
    """Return a dict from local derivatives to ops, for ops whose kernel also computes the local derivative."""
    return {op.partials[0](None, *[_Symbol()] * op.arity): op for op in TABLE.values() if op.with_partial}


class _Symbol(Traced):
    """An operand that returns the op to which it is passed."""

    @staticmethod
    def _record(op: Op, x: object, y: object = None) -> Op:  # noqa: ARG004
        return op
