"""Random argument vectors of the command `tinygraph`: mostly plausible, with hostile options, values and files.

The fuzzer runs them in a folder that `fill` prepares. A vector depends only on the random generator.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

EXPRESSIONS = [
    "a*b", "u = b*c; v = a + u; J = 3*v", "log(a)", "1/a", "a**b", "exp(a*1000)", "sigmoid(a)", "relu(-a)", "maximum(a, b)", "-a", "a", "1", "",
    "a +", "a b", "a = a*b", "u = a; u = b; u", "__import__('os')", "a.b", "a[0]", "(a", "a" * 300, "é*a", "½*a", "a\nb", "a;;b", "J", "a if b else c",
    "graph.json", "two.json", "array.json", "broken.json", "binary.json", "empty.json", "missing.json", "folder", "table.csv", ".json",
]  # fmt: skip
NUMBERS = [
    "1",
    "-2",
    "0",
    "-0",
    "2.5",
    "1e-320",
    "1e308",
    "1e999",
    "nan",
    "-inf",
    "",
    "x",
    "1_0",
    "0x1f",
    "١",
    "1j",
    "9" * 400,
    " 1 ",
    "1,5",
    "True",
]
FILES = ["graph.dot", "graph.json", "new.json", "out.svg", "x.png", "page.html", "model.json", "table.csv", "folder", "folder/x.dot", "no/folder.dot",
         "link.dot", "loop.dot", "graph.json/x.dot", "/dev/null", "/dev/full", "", ".", "x", ".dot", "x" * 300 + ".dot", "\udcff.dot", "x\n.dot", "-.dot",
         "read-only/x.dot", "GRAPH.DOT", "a b.dot", "x.dot.", "model.JSON"]  # fmt: skip
NAMES = ["a", "b", "c", "J", "é", "x1", "3", "", "a b", "lambda", "π", "\u202e", "y", "label", "target"]
TEXTS = ["", "a title", "<b>", "&amp;", "\\N", '"', "two\nlines", "🙂", "x" * 20_000, "\udcff", "\x1b[31m", "%s", "{}"]
TABLES = [
    "table.csv",
    "semicolons.csv",
    "one.csv",
    "broken.csv",
    "empty.csv",
    "graph.json",
    "missing.csv",
    "folder",
    "binary.json",
]

WRONG = ["", "pink", "x", "-1", "folder", "\udcff"]  # wrong values of most options

LOOK: dict[str, tuple[list[str], list[str]]] = {  # shared by draw and step
    "--scale": (["2", "0.5"], ["0", *NUMBERS]),
    "--font": (["Arial", "DejaVu Sans"], ["", "a,b", "'", *TEXTS]),
    "--font-size": (["9", "20.5"], ["0", *NUMBERS]),
    "--background": (["transparent", "#ffffff", "#0d1117"], WRONG),
    "--dpi": (["96", "72.5"], ["0", *NUMBERS]),
    "--no-legend": ([], []),
    "--no-constants": ([], []),
    "--heatmap": ([], []),
    "--plain-names": ([], []),
    "--engine": (["dot"], WRONG),
}

# The options of each command, with plausible and with hostile values. A flag has neither.
OPTIONS: dict[str, dict[str, tuple[list[str], list[str]]]] = {
    "draw": {
        "--out": (["graph.dot", "new.json", "link.dot"], FILES),
        "-o": (["graph.dot", "folder/x.dot"], FILES),
        "--tree": ([], []),
        "--theme": (["light", "dark", "auto"], WRONG),
        "--detail": (["full", "contributions", "plain", "folded", "scopes"], WRONG),
        "--direction": (["LR", "TB"], WRONG),
        "--notation": (["dJ/dv", "dv"], WRONG),
        "--parameters": (["a", "", ","], [*NAMES, "a,b", "a,a", "zz"]),
        "--title": (["a title"], TEXTS),
        "--number": ([".3g", ".2f", ""], ["x", "%", "{}"]),
        "--forward": ([], []),
        "--width": (["640", "99.5"], ["0", *NUMBERS]),
        "--height": (["480"], ["0", *NUMBERS]),
        "--compact": ([], []),
        "--timeout": (["5", "0.5"], ["1e-9", "0", *NUMBERS]),
        "--fold-sums": ([], []),
        "--no-fold-sums": ([], []),
        "--forward-only": ([], []),
        **LOOK,
    },
    "step": {
        "--phase": (["forward", "backward", "both"], WRONG),
        "--out": (["x.txt"], ["no/x.html", "folder", "page.html", "", "{}.txt", "no/{}{}.svg", "walk.png"]),
        "-o": (["x.txt"], ["folder", "{}.gif"]),
        "--theme": (["light", "dark", "auto"], WRONG),
        "--direction": (["LR", "TB"], WRONG),
        "--notation": (["dJ/dv", "dv"], WRONG),
        "--parameters": (["a", "", ","], [*NAMES, "a,b", "a,a", "zz"]),
        "--title": (["a title"], TEXTS),
        "--number": ([".3g", ".2f", ""], ["x", "%", "{}"]),
        "--seconds": (["1", "0.5"], ["0", *NUMBERS]),
        "--width": (["640", "99.5"], ["0", *NUMBERS]),
        "--height": (["480"], ["0", *NUMBERS]),
        "--compact": ([], []),
        "--hide": ([], []),
        "--no-caption": ([], []),
        "--detail": (["full", "contributions", "plain"], ["folded", *WRONG]),
        "--timeout": (["5", "0.5"], ["1e-9", "0", *NUMBERS]),
        **LOOK,
    },
    "diagnose": {},
    "verify": {},
    "fit": {
        "--target": (["y"], ["x1", "zz", ""]),
        "--loss": (["cross_entropy", "cross_entropy_with_logits", "squared_error"], WRONG),
        "--backend": (["tensor", "scalar"], WRONG),
        "--C": (["1", "0.1"], NUMBERS),
        "--learning-rate": (["auto", "0.1", "1e4"], NUMBERS),
        "--iterations": (["1", "5"], ["0", "-1", "1.5", "x", ""]),
        "--tol": (["1e-3", "1e-9"], NUMBERS),
        "--seed": (["0", "7"], ["-1", "9" * 400, "x", ""]),
        "--out": (["new.json", "folder/new.json"], FILES),
    },
    "doctor": {},
}


def fill(folder: Path, graphs: dict[str, bytes]) -> None:
    """Write the files that argument vectors name: saved graphs, tables, links and folders.

    Args:
        folder: Empty folder.
        graphs: Content of the saved graphs, by file name.
    """
    for name, content in graphs.items():
        (folder / name).write_bytes(content)
    (folder / "broken.json").write_bytes(graphs["graph.json"][:100])
    (folder / "binary.json").write_bytes(bytes(range(256)) * 4)
    (folder / "empty.json").write_bytes(b"")
    rows = "".join(f"{i % 7},{i % 5},{'no' if i % 3 else 'yes'}\n" for i in range(30))
    (folder / "table.csv").write_text("x1,x2,y\n" + rows, encoding="utf-8")
    (folder / "semicolons.csv").write_text(("x1,x2,y\n" + rows).replace(",", ";"), encoding="utf-8")
    (folder / "one.csv").write_text("x1,y\n1,a\n2,a\n", encoding="utf-8")
    (folder / "broken.csv").write_text('x1,y\n1,"a\nnan,b,3\n', encoding="utf-8")
    (folder / "empty.csv").write_bytes(b"")
    (folder / "folder").mkdir()
    (folder / "link.dot").symlink_to("folder/target.dot")
    (folder / "loop.dot").symlink_to("loop.dot")


def vector(rng: random.Random) -> list[str]:
    """Return a random argument vector.

    Args:
        rng: Random generator.

    Returns:
        The arguments, without the name of the program.
    """
    command = rng.choices([*OPTIONS, "demo", "--version", "unknown", ""], [30, 12, 12, 8, 15, 1, 1, 1, 1, 1])[0]
    if command == "demo":  # a demo that runs takes too long
        return ["demo", "--out", rng.choice(["table.csv", "graph.json/x", "/dev/null", "x" * 300])]
    words = _arguments(rng, command)
    known = list(OPTIONS.get(command, {}).items())
    for option, (good, odd) in rng.sample(known, min(len(known), rng.choice([0, 0, 1, 1, 2, 4]))):
        value = rng.choice(odd if rng.random() < 0.2 else good) if good else None
        words.insert(rng.randrange(len(words) + 1), _written(rng, option, value))
    arguments = [command, *[word for group in words for word in group]]
    for _ in range(rng.choice([0, 0, 0, 0, 0, 1, 2])):  # mistakes
        if arguments:
            rng.choice(MISTAKES)(rng, arguments, rng.randrange(len(arguments)))
    return arguments


def _arguments(rng: random.Random, command: str) -> list[list[str]]:
    """Return the positional arguments, each as a list of one word."""
    if command == "fit":
        table = rng.choice(TABLES[:2] if rng.random() < 0.7 else TABLES)
        return [[table], ["--target", "y"], ["--iterations", "5"]]
    if command == "verify":
        return [[rng.choice(EXPRESSIONS[-10:])]]
    if command not in OPTIONS or command == "doctor":
        return []
    expression = rng.choice([*EXPRESSIONS[:9], "graph.json"] if rng.random() < 0.7 else EXPRESSIONS)
    names = [] if expression.endswith(".json") else sorted(set(re.findall(r"\b[abcz]\b", expression)))
    values = [[f"{name}={rng.choice(NUMBERS[:9])}"] for name in names]
    odd = [[f"{rng.choice(NAMES)}={rng.choice(NUMBERS)}"] for _ in range(rng.choice([0, 0, 0, 0, 0, 1, 2]))]
    return [[expression], *values, *odd]


def _written(rng: random.Random, option: str, value: str | None) -> list[str]:
    """Return an option with its value, in one of the forms that argparse accepts."""
    if value is None:
        return [option]
    if option.startswith("--") and rng.random() < 0.2:
        return [f"{option}={value}"]
    if rng.random() < 0.1:
        return [option[: max(3, len(option) - 2)], value]  # an abbreviation
    return [option, value]


def _drop(rng: random.Random, arguments: list[str], i: int) -> None:  # noqa: ARG001
    del arguments[i]


def _repeat(rng: random.Random, arguments: list[str], i: int) -> None:
    arguments.insert(rng.randrange(len(arguments) + 1), arguments[i])


def _add(rng: random.Random, arguments: list[str], i: int) -> None:
    option = rng.choice([option for options in OPTIONS.values() for option in options] + ["--", "-", "--x", "-h", "-1"])
    arguments.insert(i, rng.choice([option, *NUMBERS, *TEXTS]))


def _swap(rng: random.Random, arguments: list[str], i: int) -> None:
    j = rng.randrange(len(arguments))
    arguments[i], arguments[j] = arguments[j], arguments[i]


def _change(rng: random.Random, arguments: list[str], i: int) -> None:
    text = arguments[i]
    j = rng.randrange(len(text) + 1)
    arguments[i] = text[:j] + rng.choice(["", "-", "=", " ", "0", "é", "\udcff", "x" * 5000]) + text[j + 1 :]


MISTAKES: list[Callable[[random.Random, list[str], int], None]] = [_drop, _repeat, _add, _swap, _change]
