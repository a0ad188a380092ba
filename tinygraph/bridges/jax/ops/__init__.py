"""The JAX primitives that `from_jax` knows, by subject."""
