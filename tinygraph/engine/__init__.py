"""The library. Read `ops`, `op`, `graph`, `autodiff` and `value`, in this order, and you have understood it."""

from tinygraph.engine import recording as recording  # it makes Value fast
