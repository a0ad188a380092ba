"""Train logistic regression on real data: 569 breast tumors, benign or malignant, with thirty features each.

    python examples/logistic_regression.py [FOLDER]

The script trains on four fifths of the table. It prints the accuracy on the rest, and the features with the largest
weights. It writes logistic_regression.svg: the graph of the trained model with its final values.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

import numpy as np

from tinygraph import Tensor, draw
from tinygraph.datasets import Scaler, load_breast_cancer
from tinygraph.drawing import EngineNotFoundError
from tinygraph.logistic import LogisticRegression, no_loop


def data():
    """Return the training and test data, standardized with the training data's means and standard deviations."""
    train, test = load_breast_cancer().split()
    scaler = Scaler.fit(train.X)
    return train, test, scaler.transform(train.X), scaler.transform(test.X)


def fit(X, y, iterations):
    """Train the lecture's model by gradient descent."""
    return LogisticRegression(learning_rate=0.5, iterations=iterations, tol=None).fit(X, y)


def graph(model, X, y):
    """Return the cost of the trained model as a graph, and the graph's parameters."""
    w, b = Tensor(model.coef_.T, "w"), Tensor(model.intercept_[0], "b")
    data, labels = Tensor(np.array(X).T, "X", constant=True), Tensor([y], "Y", constant=True)
    J = no_loop(w, b, data, labels, loss="cross_entropy_with_logits")
    J.backward()
    return J, [w, b]


def main(folder: Path) -> None:
    """Train the model, print the results, and draw the graph."""
    folder.mkdir(parents=True, exist_ok=True)
    train, test, X, X_test = data()
    print(f"{len(train.y)} training rows, {len(test.y)} test rows, classes {' and '.join(train.classes)}")
    for iterations in (1, 10, 100, 1000):
        model = fit(X, train.y, iterations)
        accuracy, test_accuracy = model.score(X, train.y), model.score(X_test, test.y)
        accuracies = f"{accuracy:.1%} on training rows, {test_accuracy:.1%} on test rows"
        print(f"after {iterations:4} iterations: accuracy {accuracies}")

    weights = sorted(zip(model.coef_[0], train.features, strict=True), key=lambda pair: -abs(pair[0]))
    print("\nthe five features with the largest weights (per standard deviation of the feature):")
    for weight, feature in weights[:5]:
        print(f"  {feature:24}{weight:+.2f}   {'more' if weight > 0 else 'less'} likely {train.classes[1]}")

    said = model.predict_proba(X_test)[:, 1]
    row = min(range(len(said)), key=lambda i: abs(said[i] - 0.5))
    print(f"\nthe least certain test row: probability of malignant {said[row]:.2f}, class {test.classes[test.y[row]]}")

    J, parameters = graph(model, X, train.y)
    title = f"logistic regression on {len(train.y)} rows, trained"
    picture = draw(J, parameters=parameters, direction="TB", title=title)
    try:
        path = picture.save(folder / "logistic_regression.svg")
    except EngineNotFoundError:
        path = picture.save(folder / "logistic_regression.dot")
    print(f"wrote {path.name}")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
