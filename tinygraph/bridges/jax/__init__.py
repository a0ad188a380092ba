"""The bridge to JAX: `from_jax` and `to_jax`."""
