"""Errors and warnings are this package's own classes, and also scikit-learn's if it is loaded."""

import subprocess
import sys

import pytest

from tinygraph.logistic import LogisticRegression
from tinygraph.logistic.conventions import ConvergenceWarning, NotFittedError, shared


def test_scikit_learn_is_not_imported():
    program = (
        "import sys; from tinygraph.logistic import LogisticRegression, NotFittedError\n"
        "try: LogisticRegression().predict([[1.0]])\n"
        "except NotFittedError as error: assert type(error) is NotFittedError\n"
        "LogisticRegression().fit([[0.0], [1.0], [2.0]], [0, 1, 0]).predict([[1.0]])\n"
        "assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_classes_are_those_of_scikit_learn_too():
    exceptions = pytest.importorskip("sklearn.exceptions", reason="needs the dependency group oracles")
    assert issubclass(shared(NotFittedError), (exceptions.NotFittedError))
    assert issubclass(shared(ConvergenceWarning), exceptions.ConvergenceWarning)
    assert shared(NotFittedError) is shared(NotFittedError)
    with pytest.raises(NotFittedError):
        LogisticRegression().predict([[1.0]])
