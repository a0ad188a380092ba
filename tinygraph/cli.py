"""The command `tinygraph`."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import tinygraph
from tinygraph.datasets import TableError, read_csv
from tinygraph.logistic import BACKENDS, LOSSES
from tinygraph.training import save_model, train
from tinygraph.writing import check_writable


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 2 for input that cannot be used, 130 for Ctrl-C."""
    options = _parser().parse_args(argv)
    try:
        options.run(options)
    except (TableError, FloatingPointError) as error:
        return _fail(str(error))
    except BrokenPipeError:  # the reader of our output went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except KeyboardInterrupt:
        return _fail("stopped; no file was written", 130)
    return 0


def _fail(sentence: str, code: int = 2) -> int:
    print(f"tinygraph: {sentence}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tinygraph", description="Backpropagation made visible.")
    parser.add_argument("--version", action="version", version=f"tinygraph {tinygraph.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="backpropagation on J = 3(a + bc), then logistic regression: loops, vectors, real data",
        description="Show backpropagation on the lecture's graph J = 3(a + bc), one line an event, then the cost of "
        "logistic regression with two loops, one, and none, and train it on the Breast Cancer Wisconsin table. "
        "Takes a few seconds.",
    )
    demo.add_argument("--out", metavar="FOLDER", type=Path, default=Path("tinygraph-demo"),
                      help="where to write the results (default: %(default)s)")  # fmt: skip
    demo.set_defaults(run=_demo)

    fit = commands.add_parser(
        "fit",
        help="train logistic regression on a CSV file",
        description="Train logistic regression on a CSV file with a header row: the target column holds two "
        "classes, every other column numbers. A fifth of the rows is kept to test on.",
    )
    fit.add_argument("file", metavar="FILE.csv", type=Path, help="the table")
    fit.add_argument("--target", metavar="COLUMN", required=True, help="the column with the two classes")
    fit.add_argument("--loss", choices=LOSSES, default="cross_entropy_with_logits", help="default: %(default)s")
    fit.add_argument("--backend", choices=BACKENDS, default="tensor",
                     help="vectorized, or by two explicit loops (default: %(default)s)")  # fmt: skip
    fit.add_argument("--rate", metavar="ALPHA", type=_number(float), default=0.5,
                     help="the learning rate (default: %(default)s)")  # fmt: skip
    fit.add_argument("--steps", metavar="N", type=_number(int), default=100,
                     help="steps of gradient descent (default: %(default)s)")  # fmt: skip
    fit.add_argument("--seed", metavar="N", type=int, default=0,
                     help="draws the rows to test on (default: %(default)s)")  # fmt: skip
    fit.add_argument("--out", metavar="MODEL.json", type=Path, default=Path("model.json"),
                     help="where to save the parameters (default: %(default)s)")  # fmt: skip
    fit.set_defaults(run=_fit)
    return parser


def _number(kind: type[int] | type[float]) -> Callable[[str], float]:
    def positive(text: str) -> float:
        number = kind(text)
        if not (number > 0 and math.isfinite(number)):
            raise argparse.ArgumentTypeError(f"{text} is not a positive number")
        return number

    positive.__name__ = "positive whole number" if kind is int else "positive number"
    return positive


def _demo(options: argparse.Namespace) -> None:
    from tinygraph.demo import demo

    demo(options.out)


def _fit(options: argparse.Namespace) -> None:
    table = read_csv(options.file, options.target)
    if options.out.exists() and options.out.samefile(options.file):
        raise TableError(f"{options.out}: is the table itself; choose another file for --out")
    check_writable(options.out)
    try:
        model = train(
            table,
            loss=options.loss,
            learning_rate=options.rate,
            n_steps=options.steps,
            seed=options.seed,
            backend=options.backend,
        )
    except TableError as error:
        raise TableError(f"{options.file}, {error}") from None
    save_model(options.out, model)
