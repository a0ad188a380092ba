"""NumPy functions on Tensors. Each file implements the functions of one subject with array ops and elementwise ops.

The files register their functions in `table`, by NumPy's names, and `np.dot(w.T, X)` finds them there.
"""

from tinygraph.tensor.functions import (
    calculus,
    creating,
    cumulative,
    elementwise,
    joining,
    linalg,
    parts,
    predicates,
    probabilities,
    rearranging,
    reductions,
    shaping,
    sorting,
)

__all__ = [
    "calculus",
    "creating",
    "cumulative",
    "elementwise",
    "joining",
    "linalg",
    "parts",
    "predicates",
    "probabilities",
    "rearranging",
    "reductions",
    "shaping",
    "sorting",
]
