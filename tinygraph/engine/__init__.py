"""The library. Read `ops`, `op`, `graph`, `autodiff` and `value`, in this order, and you have understood it."""
