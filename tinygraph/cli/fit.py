"""Training on a table from start to end: scale, split, descend with progress, report, save."""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter
from typing import Any

from tinygraph.datasets import Scaler, Table
from tinygraph.logistic.comparison import compare_implementations, report
from tinygraph.logistic.model import LogisticRegression
from tinygraph.support.files import write_whole
from tinygraph.support.terminal import progress, say

READ = 500  # rows on which the readings are compared


class TrainingStoppedError(Exception):
    """Training was stopped by Ctrl-C; `model` is what was learned until then."""

    def __init__(self, model: dict[str, object]) -> None:
        super().__init__(f"stopped after {model['n_steps']} steps")
        self.model = model


def train(
    table: Table, *, loss: str, learning_rate: float, n_steps: int, seed: int = 0, backend: str = "tensor"
) -> dict[str, object]:
    """Train logistic regression, say how it goes, and return the model as plain data.

    The features are brought to one scale; a fifth of the rows, drawn by the seed, is kept to test on. Raises
    TrainingStoppedError where Ctrl-C comes after the first step.
    """
    training, test = table.split(seed)
    scaler = Scaler.fit(training.X)
    X, X_test = scaler.transform(training.X), scaler.transform(test.X)
    zero, one = table.classes
    say(f"  {len(table.X)} rows, {table.target!r} is {zero!r} or {one!r}")
    say(f"  {len(X)} rows to train on, {len(X_test)} to test on, {len(table.features)} features brought to one scale")
    say(f"  loss {loss}, learning rate α = {learning_rate:g}, {n_steps} steps, backend {backend}")
    model = LogisticRegression(backend=backend, loss=loss, learning_rate=learning_rate, n_steps=n_steps)

    def described() -> dict[str, Any]:
        return {
            "model": "logistic regression",
            "features": list(table.features),
            "mean": scaler.mean,
            "std": scaler.std,
            "coef": model.coef_[0].tolist(),
            "intercept": float(model.intercept_[0]),
            "target": table.target,
            "classes": list(table.classes),
            "accuracy": {"train": model.score(X, training.y), "test": model.score(X_test, test.y)},
            "backend": backend,
            "loss": loss,
            "learning_rate": learning_rate,
            "n_steps": len(model.costs_),
            "seed": seed,
            "costs": model.costs_,
        }

    start = perf_counter()
    try:
        with progress("gradient descent", n_steps) as on_step:
            model.fit(X, training.y, on_step)
    except KeyboardInterrupt:
        if not getattr(model, "costs_", []):
            raise
        raise TrainingStoppedError(described()) from None
    seconds = perf_counter() - start
    say(f"  cost {model.costs_[0]:.4f} → {model.costs_[-1]:.4f} in {n_steps} steps and {seconds:.1f} s")
    codes = [float(label == model.classes_[1]) for label in training.y[:READ]]
    learned = described()
    say(f"  the cost and its gradient there, read in three ways, on {len(codes)} rows:")
    for line in report(compare_implementations(X[:READ], codes, learned["coef"], learned["intercept"], loss)):
        say(f"    {line}")
    accuracy = learned["accuracy"]
    say(f"  accuracy {accuracy['train']:.1%} on the training rows, {accuracy['test']:.1%} on the test rows")
    return learned


def save_model(path: Path, model: dict[str, object]) -> None:
    """Write the model as JSON, and say where."""
    write_whole(path, json.dumps(model, indent=2, allow_nan=False) + "\n")
    say(f"wrote the parameters to {path.resolve()}")
