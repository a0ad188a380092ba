"""The functions of `np.linalg` on Tensors."""

from tinygraph.tensor.functions.linalg import factorizations, norms, solving

__all__ = ["factorizations", "norms", "solving"]
