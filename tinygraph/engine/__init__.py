"""The library. To understand it, read `ops`, `op`, `graph`, `autodiff` and `value`, in this order."""

from tinygraph.engine import recording as recording  # it makes Value fast
