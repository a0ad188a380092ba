"""Linear algebra on Tensors: products, and the functions of `np.linalg`."""

from tinygraph.tensor.functions.linalg import contractions, factorizations, norms, products, solving

__all__ = ["contractions", "factorizations", "norms", "products", "solving"]
