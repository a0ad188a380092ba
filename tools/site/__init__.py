"""The build of the documentation: hooks of mkdocs, plots, the reference of ops, and notebooks."""
