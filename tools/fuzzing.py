"""Fuzzing: `python -m tools.fuzzing --count 100000`, or `--engine atheris` if atheris is installed.

The command damages saved graphs, expressions, names, tables and command lines at random, makes argument vectors, and
gives them to the code that reads them. Each input must end in a result or in the expected error, within two seconds of
processor time. Anything else is a finding: it is written to `fuzz-findings/`, and the exit code is 1. Input n of a seed
is always the same, and `--only N` runs it alone.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import tinygraph
from tinygraph import Stepper, Tensor, Value, diagnose, draw, load, save, tree
from tinygraph.cli.expressions import ExpressionError, parse
from tinygraph.cli.main import main as command
from tinygraph.datasets import TableError, read_csv
from tinygraph.logistic import no_loop, two_loops
from tinygraph.saving.format import GraphFileError
from tools.argument_vectors import fill, vector

SECONDS = 2.0  # of processor time; a slower input is a finding
FOLDER = Path(tempfile.gettempdir())


class Hang(BaseException):
    """An input took far too long."""


# --- the code that reads input ----------------------------------------------------------------------


def a_file(data: bytes) -> str:
    """Load, verify and inspect a saved graph, and pass it to the command."""
    path = FOLDER / f"fuzzed-{os.getpid()}.json"
    path.write_bytes(data)
    try:
        load(path)
    except GraphFileError as error:
        _one_sentence(str(error))
        assert commanded(["verify", str(path)]) == 2
        return "refused"
    try:
        loaded = load(path, verify=True)
    except GraphFileError as error:
        _one_sentence(str(error))
        assert commanded(["draw", str(path)]) == 2
        return "not true"
    for root in (loaded if isinstance(loaded, list) else [loaded])[:3]:
        look_at(root)
    assert commanded(["diagnose", str(path)]) in (0, 1, 2)
    save(loaded, path)
    return "loaded"


def an_expression(data: bytes) -> str:
    """Pass an expression to `tinygraph draw`, with numbers for its names."""
    text = data.decode("utf-8", "surrogateescape").replace("\x00", "")
    try:
        root = parse(text, {"a": 1.5, "b": -2.0, "c": 0.0})
    except ExpressionError as error:
        _one_sentence(str(error))
        assert commanded(["draw", text, "a=1.5", "b=-2", "c=0"]) in (0, 2)
        return "refused"
    look_at(root)
    assert commanded(["draw", text, "a=1.5", "b=-2", "c=0"]) in (0, 2)
    return "drawn"


def a_name(data: bytes) -> str:
    """Use a string as node name, scope and title, in diagrams, HTML pages, files and text output."""
    name = data.decode("utf-8", "surrogateescape")
    a, b = Value(2.0, name), Value(3.0, "b")
    with tinygraph.scope(name):
        y = tinygraph.tanh(a * b)
    y.name = name
    y.backward()
    source = draw(y, title=name).source
    assert source.startswith("digraph")
    path = FOLDER / f"named-{os.getpid()}.json"
    assert load(save(y, path), verify=True).name == name
    look_at(y)
    return "drawn"


def a_table(data: bytes) -> str:
    """Pass a CSV file to `tinygraph fit`."""
    path = FOLDER / f"fuzzed-{os.getpid()}.csv"
    path.write_bytes(data)
    out = FOLDER / f"fuzzed-{os.getpid()}-model.json"
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*: column [0-9]+ has no name")
            read_csv(path, "y")
    except TableError as error:
        _one_sentence(str(error))
        assert commanded(["fit", str(path), "--target", "y", "--out", str(out)]) == 2
        return "refused"
    assert commanded(["fit", str(path), "--target", "y", "--iterations", "2", "--out", str(out)]) in (0, 2)
    return "trained"


def a_command(data: bytes) -> str:
    """Run the command with arguments, separated by line ends."""
    arguments = data.decode("utf-8", "surrogateescape").replace("\x00", "").split("\n")
    if {"demo", "fit"} & set(arguments) or any(x.startswith(("-o", "--o")) for x in arguments):
        arguments = [x for x in arguments if x not in ("demo", "fit") and not x.startswith(("-o", "--o"))]
    code = commanded(arguments)
    assert code in (0, 1, 2), code
    return "run" if code == 0 else "refused"


def a_vector(data: bytes) -> str:
    """Run the command with a random argument vector, which the data select, in a folder with files of each kind."""
    arguments = vector(random.Random(data))
    held = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), _saved_graphs())
        os.chdir(folder)
        try:
            code = commanded(arguments)
            hidden = [name for name in os.listdir() if name.startswith(".") and name != ".dot"]
        except BaseException as error:
            error.add_note(f"arguments: {arguments!r}")
            raise
        finally:
            os.chdir(held)
    assert code in ((0, 1, 2) if {"diagnose", "doctor"} & set(arguments) else (0, 2)), (code, arguments)
    assert not hidden, ("a temporary file is left", arguments)
    return "refused" if code == 2 else "run"


@cache
def _saved_graphs() -> dict[str, bytes]:
    """Return saved graphs by file name: a scalar, two roots, and an array."""
    x = Value(2.0, "a")
    roots: dict[str, Any] = {"graph.json": x * x, "two.json": [x * x, x], "array.json": Tensor([1.0, 2.0]) * 2.0}
    with tempfile.TemporaryDirectory() as folder:
        return {name: save(root, Path(folder, name)).read_bytes() for name, root in roots.items()}


TARGETS: dict[str, Callable[[bytes], str]] = {
    "file": a_file,
    "expression": an_expression,
    "name": a_name,
    "table": a_table,
    "command": a_command,
    "vector": a_vector,
}


def commanded(arguments: list[str]) -> int:
    """Return the exit code of the command; a traceback, or an error without a message, is a fault."""
    out, err = io.StringIO(), io.StringIO()
    held, sys.stdin = sys.stdin, io.StringIO("s 2\nb\nv\nq\n")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = command(arguments)
    except SystemExit as left:
        code = int(left.code or 0)
    finally:
        sys.stdin = held
    assert "Traceback" not in err.getvalue()
    assert code != 2 or err.getvalue().strip(), "exit code 2 without a word"
    return code


def look_at(root: Any) -> None:
    """Use a loaded graph in every way that a user can."""
    repr(root), str(tree(root, lines=30)), draw(root).source
    if not getattr(root, "shape", ()):
        str(diagnose(root))
        for event in Stepper(root).steps[:20]:
            str(event)


def _one_sentence(text: str) -> None:
    assert text
    assert len(text) < 1000, "more than a sentence"


# --- inputs ------------------------------------------------------------------------------------------


def corpus() -> dict[str, list[bytes]]:
    """Return valid input of each kind, to be damaged."""
    x, w = Value(2.0, "x"), Value(0.5, "w")
    branch = x * x if x > 1.0 else -x
    powers = tinygraph.total([x**3, x**0.5, x**w, 1.0 / x, tinygraph.dot([x, w], [w, 2.0]), tinygraph.sigmoid(x)])
    partials = tinygraph.grad(tinygraph.grad(powers, x, create_graph=True), x, create_graph=True)
    A = Tensor(np.arange(12.0).reshape(3, 4), "A")
    wired = (A[1:, ::2].sum(axis=0) * A[[0, 2]].mean() + A.T.max() + tinygraph.concatenate([A, A])[0, 0]).sum()
    wires = (tinygraph.grad(wired, A, create_graph=True) ** 2).sum()
    loops = two_loops([Value(0.1, "w1"), Value(-0.2, "w2")], Value(0.0, "b"), [[1.0, 2.0], [3.0, -4.0]], [1, 0])
    arrays = no_loop(Tensor([[0.1], [-0.2]], "w"), Tensor(0.0, "b"), np.ones((2, 3)), np.array([[1.0, 0.0, 1.0]]))
    roots: list[Any] = [
        parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.0}),
        branch,
        partials,
        wires,
        loops,
        arrays,
    ]
    found = []
    path = FOLDER / f"corpus-{os.getpid()}.json"
    for root in roots:
        root.backward()
        found.append(save(root, path).read_bytes())
    found.append(save([roots[1], x], path).read_bytes())
    path.unlink()
    texts = [
        "u = b*c; v = a + u; J = 3*v",
        "exp(-a) / (b - c)**2",
        "maximum(a, b)**0.5 + log(c)",
        "-a**-b; a*(b+(c*2.5e-3))",
    ]
    names = [
        "w1",
        "",
        "</title><script>x</script>",
        "a\\nb\\l",
        '"quoted" | {record} <f0>',
        "𝒘 ∇\u202e",
        "&amp;%s{}",
        "‘x + 1’",
    ]
    tables = [
        "x1,x2,y\n1,2,yes\n3,4,no\n5,6,yes\n7,8,no\n0,1,yes\n2,2,no\n",
        '"x";y\n1.5;1\n2.5;0\n',
        "y,x\n0,1e308\n1,-1e308\n0,0\n1,1\n",
    ]
    commands = ["draw\nJ = 3*(a + b*c)\na=5\nb=3\nc=2\n--tree", "step\na*b\na=1\nb=2\n--phase\nboth", "diagnose\nlog(a)\na=0", "verify\nnothing.json",
                "draw\na*b\na=1\nb=2\n--theme\ndark\n--detail\nplain\n--parameters\na\n--notation\ndv", "doctor\n--help", "--version"]  # fmt: skip
    return {
        "file": found,
        "expression": [text.encode() for text in texts],
        "name": [name.encode() for name in names],
        "table": [text.encode() for text in tables],
        "command": [text.encode() for text in commands],
        "vector": [str(number).encode() for number in range(100)],
    }


TOKENS = {
    "file": [b"null", b"true", b"[]", b"{}", b'"nan"', b"1e999", b"-1", b"NaN", b'"op"', b'"matmul"', b'{"tuple":[]}', b'{"slice":"all"}',
             b'{"tuple":[1000000,1000000]}', b'["power_partial",2.0,99]', b'["index",0]', b'{"constant":1.0}', b"[" * 500, b"9" * 5000, b"\xff", b"\\ud800"],
    "expression": [b"(", b")" * 50, b"(" * 3000, b"**", b"**1e9", b"**999999999", b"9" * 400, b"a" * 200, b";", b"=", b"exp(", b"log(0)", b"lambda", b"__import__('os')",
                   b"[x for x in a]", b"a.b", b"'", b"\n", b"\t", b"1_000", b"0x1f", b"1j", b"if", b":=", b"\xe2\x88\x87", b"-" * 2000, b"a+" * 900 + b"a"],
    "name": [b"<", b">", b"&", b'"', b"'", b"\\", b"\\N", b"\n", b"\r", b"\x00", b"\x1b[31m", b"{", b"}", b"|", b"%", b"</svg>", b"]]>", b"<!--", b"a" * 3000, b"\xf0\x9f\x90\x88", b"\xff"],
    "table": [b",", b"\n", b'"', b";", b"nan", b"inf", b"1e999", b"y", b"\x00", b"\xff\xfe", b"\r\n", b",," * 100, b"x" * 5000, b"1,2\n" * 50, b"\xef\xbb\xbf"],
    "command": [b"\n", b"--", b"-", b"--title\n<x>", b"a=nan", b"a=1e999", b"a=", b"=1", b"--detail\nfull", b"--timeout\n-1", b"--direction\nTB", b"draw", b"step", b"verify", b"\xff"],
    "vector": [bytes([byte]) for byte in range(256)],
}  # fmt: skip


def damaged(rng: random.Random, kind: str, good: list[bytes]) -> bytes:
    """Return one of the inputs with a few mistakes in it."""
    data = rng.choice(good)
    if kind == "file" and rng.random() < 0.6:
        return _damaged_json(rng, data)
    for _ in range(rng.choice([0, 1, 1, 2, 3, 6])):
        i, j = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        short = min(j, i + rng.randrange(1, 12))
        how = rng.randrange(7)
        if how == 0:
            data = data[:i] + rng.choice(TOKENS[kind]) + data[i:]
        elif how == 1:
            data = data[:i] + rng.choice(TOKENS[kind]) + data[short:]
        elif how == 2:
            data = data[:i] + data[short:]
        elif how == 3:
            data = data[:i] + bytes([rng.randrange(256)]) + data[i + 1 :]
        elif how == 4:
            data = data[:i] + data[i:short] * rng.randrange(1, 20) + data[short:]
        elif how == 5:
            other = rng.choice(good)
            data = data[:i] + other[rng.randrange(len(other) + 1) :]
        else:
            data = data[:i]
    return data


VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 10**9, 10**400, 0.5, -0.0, 1e308, "nan", "inf", "nan:7ff8000000000001", "x", "", "add", "mul", "power", "matmul", "sum",
    [], {}, [0], [0, 0], [True, None], ["expand", {"tuple": [2, 3]}], ["sum_over", None, False], ["extremum", "max", 0, True], ["index", {"tuple": [{"slice": "all"}, None]}],
    ["transpose", {"tuple": [1, 0]}], ["scatter_add", 0, {"tuple": [10**6, 10**6]}], ["reshape", {"tuple": [-1]}], ["power_partial", 0.5, 100], ["binary_cross_entropy_partial", 7],
    {"constant": 1.0}, {"constant": {"shape": [2], "elements": [1.0, 2.0]}}, {"shape": [], "elements": [1.0]}, {"shape": [0], "elements": []}, {"shape": [2, 2], "elements": [1, 2, 3, 4]},
]  # fmt: skip


def _value(rng: random.Random) -> Any:
    return json.loads(json.dumps(rng.choice(VALUES)))  # a copy, which can be damaged again


def _damaged_json(rng: random.Random, data: bytes) -> bytes:
    said = json.loads(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        holders: list[Any] = []
        stack = [said]
        while stack:
            here = stack.pop()
            if isinstance(here, (dict, list)) and here:
                holders.append(here)
                stack += list(here.values() if isinstance(here, dict) else here)
        if not holders:
            break
        holder = rng.choice(holders)
        key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        how = rng.randrange(5)
        if how == 0:
            del holder[key]
        elif how == 1 and isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
            holder[key] = (holder[key] if abs(holder[key]) < 1e300 else 0) + rng.choice([1, -1, 0.5, 1e-9, 10**6])
        elif how == 2 and isinstance(holder, list):
            holder.insert(key, json.loads(json.dumps(holder[key])))
        elif how == 3 and isinstance(holder, dict):
            field = rng.choice(["op", "args", "data", "grad", "constant", "name", "partials", "extra"])
            holder[field] = _value(rng)
        else:
            holder[key] = _value(rng)
    return json.dumps(said).encode()


# --- running ----------------------------------------------------------------------------------------


def one(kind: str, data: bytes) -> tuple[str, float, str]:
    """Return the outcome of an input, its duration, and a description of the fault, or ""."""

    def hang(*_: Any) -> None:
        raise Hang

    signal.signal(signal.SIGALRM, hang)
    signal.alarm(20)
    start = time.process_time()  # not the time of other programs, which made a fast input slow
    outcome, wrong = "", ""
    try:
        outcome = TARGETS[kind](data)
    except (Exception, Hang):
        wrong = traceback.format_exc()
    finally:
        signal.alarm(0)
    taken = time.process_time() - start
    if not wrong and taken > SECONDS:
        wrong = f"took {taken:.1f} s"
    return outcome, taken, wrong


def input_of(seed: int, i: int, good: dict[str, list[bytes]], kinds: list[str]) -> tuple[str, bytes]:
    """Return input i of a seed."""
    rng = random.Random(f"{seed}-{i}")
    kind = kinds[i % len(kinds)]
    return kind, damaged(rng, kind, good[kind])


def at_random(options: argparse.Namespace) -> int:
    """Run this many inputs of a seed, and return the number of findings."""
    good, kinds = corpus(), options.kinds.split(",")
    numbers = [options.only] if options.only is not None else range(options.count)
    outcomes: Counter[str] = Counter()
    findings, slowest = 0, (0.0, "")
    for done, i in enumerate(numbers, 1):
        kind, data = input_of(options.seed, i, good, kinds)
        outcome, taken, wrong = one(kind, data)
        outcomes[f"{kind} {outcome or 'FINDING'}"] += 1
        slowest = max(slowest, (taken, f"{kind}, number {i}"))
        if wrong:
            findings += 1
            folder = Path("fuzz-findings")
            folder.mkdir(exist_ok=True)
            (folder / f"{kind}-{options.seed}-{i}").write_bytes(data)
            print(
                f"--- {kind}, number {i} of seed {options.seed}: {data[:200]!r}\n{wrong}", file=sys.stderr, flush=True
            )
            if findings >= options.stop:
                break
        if done % 10_000 == 0:
            print(f"{done:,} inputs, {findings} findings", file=sys.stderr, flush=True)
    for name, count in sorted(outcomes.items()):
        print(f"{count:>9,}  {name}")
    print(f"{sum(outcomes.values()):,} inputs, {findings} findings; the slowest took {slowest[0]:.2f} s ({slowest[1]})")
    return findings


def guided(options: argparse.Namespace) -> int:
    """Run inputs that atheris guides by coverage."""
    import atheris

    good, kinds = corpus(), options.kinds.split(",")
    folder = Path(tempfile.mkdtemp())
    for kind in kinds:
        for i, data in enumerate(good[kind]):
            (folder / f"{kind}-{i}").write_bytes(bytes([kinds.index(kind)]) + data)

    def run(data: bytes) -> None:
        if data:
            kind = kinds[data[0] % len(kinds)]
            _, taken, wrong = one(kind, data[1:])
            if wrong:
                raise RuntimeError(f"{kind}, {taken:.1f} s: {wrong}")

    for name in ("saving.format", "saving.reader", "saving.verification", "cli.expressions", "datasets", "cli.main"):
        module = sys.modules.get(f"tinygraph.{name}")
        for attribute in vars(module).values() if module else ():
            if (
                callable(attribute)
                and getattr(attribute, "__module__", "") == f"tinygraph.{name}"
                and hasattr(attribute, "__code__")
            ):
                atheris.instrument_func(attribute)
    atheris.Setup([sys.argv[0], f"-runs={options.count}", "-max_len=20000", str(folder)], run)
    atheris.Fuzz()
    return 0


def main() -> None:
    """Run the fuzzer, and print the findings."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzzing", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="inputs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs (default: %(default)s)")
    parser.add_argument("--only", type=int, help="run this input alone")
    parser.add_argument("--kinds", default=",".join(TARGETS), help="of %(default)s")
    parser.add_argument("--stop", type=int, default=20, help="after so many findings (default: %(default)s)")
    parser.add_argument("--engine", choices=("random", "atheris"), default="random", help="default: %(default)s")
    options = parser.parse_args()
    sys.set_int_max_str_digits(4300)
    raise SystemExit(1 if (guided if options.engine == "atheris" else at_random)(options) else 0)


if __name__ == "__main__":
    main()
