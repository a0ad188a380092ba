"""`tinygraph fit`: read, split and standardize a CSV file, train a model, print a report, and save the model."""

from __future__ import annotations

import argparse
import json
import math
import warnings
from pathlib import Path
from time import perf_counter
from typing import TypedDict

from tinygraph.cli.options import positive
from tinygraph.datasets import Scaler, Table, TableError, read_csv
from tinygraph.logistic.classifier import BACKENDS
from tinygraph.logistic.comparison import compare_implementations, report
from tinygraph.logistic.costs import LOSSES
from tinygraph.logistic.model import LogisticRegression
from tinygraph.support.files import check_writable, write_whole
from tinygraph.support.messages import counted
from tinygraph.support.terminal import echo, fail, progress

COMPARED = 500  # maximum number of rows on which the implementations are compared


class Accuracy(TypedDict):
    """The fraction of rows whose class is predicted correctly."""

    train: float
    test: float


class SavedModel(TypedDict):
    """A trained model as plain data, in the form that `fit` writes."""

    model: str
    features: list[str]
    mean: list[float]
    std: list[float]
    coef: list[float]
    intercept: float
    target: str
    classes: list[str]
    accuracy: Accuracy
    backend: str
    loss: str
    C: float | None
    learning_rate: float | str
    iterations: int
    seed: int
    costs: list[float]


class TrainingStoppedError(Exception):
    """Ctrl-C stopped the training. `model` contains the parameters of the last complete iteration.

    Args:
        model: Model after the last complete iteration.
    """

    def __init__(self, model: SavedModel) -> None:
        super().__init__(f"stopped after {model['iterations']} iterations")
        self.model = model


def add_fit(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of `tinygraph fit`.

    Args:
        parser: Parser of the subcommand.
    """
    parser.description = (
        "Train logistic regression on a CSV file with a header row. The target column must contain two classes, and "
        "every other column must contain numbers. One fifth of the rows is set aside for testing."
    )
    add, defaults = parser.add_argument, LogisticRegression().get_params()
    add("file", metavar="FILE.csv", type=Path, help="CSV file")
    add("--target", metavar="COLUMN", required=True, help="column with the two classes")
    add("--loss", choices=LOSSES, default=defaults["loss"], help="loss function (default: %(default)s)")
    backends = "tensor is vectorized, and scalar uses two explicit loops (default: %(default)s)"
    add("--backend", choices=BACKENDS, default=defaults["backend"], help=backends)
    strength = "inverse of the regularization strength (default: no regularization)"
    add("--C", metavar="C", type=positive(float), default=defaults["C"], help=strength)
    rate = "learning rate, or auto, which chooses it in each iteration (default: %(default)s)"
    add("--learning-rate", metavar="ALPHA", type=_learning_rate, default=defaults["learning_rate"], help=rate)
    iterations = "maximum number of iterations of gradient descent (default: %(default)s)"
    add("--iterations", metavar="N", type=positive(int), default=defaults["iterations"], help=iterations)
    tol = "stop when no derivative is larger than TOL (default: %(default)s)"
    add("--tol", metavar="TOL", type=positive(float), default=defaults["tol"], help=tol)
    add(
        "--seed", metavar="N", type=int, default=0, help="random seed that selects the test rows (default: %(default)s)"
    )
    out = "output file for the parameters (default: %(default)s)"
    add("--out", metavar="MODEL.json", type=Path, default=Path("model.json"), help=out)
    parser.set_defaults(run=_run)


def _learning_rate(text: str) -> float | str:
    return text if text == "auto" else positive(float)(text)


_learning_rate.__name__ = "learning rate"  # argparse shows this name


def _run(options: argparse.Namespace) -> int:
    with warnings.catch_warnings(record=True) as left_out:
        warnings.simplefilter("always")
        table = read_csv(options.file, options.target)
    for warning in left_out:
        echo(f"  {warning.message}")
    if options.out.exists() and options.out.samefile(options.file):
        raise TableError(f"{options.out}: this is the input file; choose another file for --out")
    check_writable(options.out)
    try:
        model = train(
            table,
            LogisticRegression(
                backend=options.backend,
                loss=options.loss,
                C=options.C,
                learning_rate=options.learning_rate,
                iterations=options.iterations,
                tol=options.tol,
            ),
            seed=options.seed,
        )
    except TableError as error:
        raise TableError(f"{options.file}, {error}") from None
    except TrainingStoppedError as stopped:
        save_model(options.out.with_name(f"{options.out.stem}-stopped{options.out.suffix}"), stopped.model)
        done = stopped.model["iterations"]
        return fail(f"stopped after {done} of {options.iterations} iterations; {options.out} was not changed", 130)
    save_model(options.out, model)
    return 0


def train(table: Table, model: LogisticRegression, *, seed: int = 0) -> SavedModel:
    """Train logistic regression, and print the progress and a report.

    The features are standardized, and one fifth of the rows is set aside for testing.

    Args:
        table: Table to train on.
        model: Model to train.
        seed: Random seed that selects the rows for testing. Defaults to 0.

    Returns:
        The model as plain data.

    Raises:
        TableError: If a class has fewer than two rows.
        TrainingStoppedError: If you press Ctrl-C after the first iteration.
        FloatingPointError: If gradient descent diverges.
    """
    training, test = table.split(seed)
    scaler = Scaler.fit(training.X)
    X, X_test = scaler.transform(training.X), scaler.transform(test.X)
    zero, one = table.classes
    echo(f"  {len(table.X)} rows; the classes of {table.target!r} are {zero!r} and {one!r}")
    echo(f"  {len(X)} training rows, {len(X_test)} test rows, {len(table.features)} standardized features")
    echo(f"  {_described(model)}")

    def saved() -> SavedModel:
        accuracy: Accuracy = {"train": model.score(X, training.y), "test": model.score(X_test, test.y)}
        return _saved(model, table, scaler, seed, accuracy)

    start = perf_counter()
    try:
        with (
            progress("gradient descent", model.iterations) as on_iteration,
            warnings.catch_warnings(record=True) as not_converged,
        ):
            warnings.simplefilter("always")
            model.fit(X, training.y, on_iteration=on_iteration)
    except KeyboardInterrupt:
        if not getattr(model, "costs_", []):
            raise
        raise TrainingStoppedError(saved()) from None
    seconds = perf_counter() - start
    done = len(model.costs_)
    echo(f"  cost {model.costs_[0]:.4f} → {model.costs_[-1]:.4f} in {done} iterations and {seconds:.1f} s")
    for warning in not_converged:
        echo(f"  {warning.message}")
    learned = saved()
    codes = [float(label == model.classes_[1]) for label in training.y[:COMPARED]]
    echo(f"  the cost and its gradient at the final parameters, by three implementations, on {len(codes)} rows:")
    for line in report(compare_implementations(X[:COMPARED], codes, learned["coef"], learned["intercept"], model.loss)):
        echo(f"    {line}")
    accuracy = learned["accuracy"]
    echo(f"  accuracy {accuracy['train']:.1%} on the training rows, {accuracy['test']:.1%} on the test rows")
    return learned


def _described(model: LogisticRegression) -> str:
    rate = model.learning_rate if isinstance(model.learning_rate, str) else f"{model.learning_rate:g}"
    penalty = "" if math.inf == model.C else f", C = {model.C:g}"
    return (
        f"loss {model.loss}{penalty}, learning rate α = {rate}, at most {counted(model.iterations, 'iteration')}, "
        f"backend {model.backend}"
    )


def _saved(model: LogisticRegression, table: Table, scaler: Scaler, seed: int, accuracy: Accuracy) -> SavedModel:
    return {
        "model": "logistic regression",
        "features": list(table.features),
        "mean": scaler.mean,
        "std": scaler.std,
        "coef": model.coef_[0].tolist(),
        "intercept": float(model.intercept_[0]),
        "target": table.target,
        "classes": list(table.classes),
        "accuracy": accuracy,
        "backend": model.backend,
        "loss": model.loss,
        "C": None if math.inf == model.C else model.C,
        "learning_rate": model.learning_rate,
        "iterations": len(model.costs_),
        "seed": seed,
        "costs": model.costs_,
    }


def save_model(path: Path, model: SavedModel) -> None:
    """Write a model as JSON, and print the path.

    Args:
        path: File to write.
        model: Model that `train` returned.

    Raises:
        OSError: If the file cannot be written.
    """
    write_whole(path, json.dumps(model, indent=2, allow_nan=False) + "\n")
    echo(f"wrote the parameters to {path.resolve()}")
