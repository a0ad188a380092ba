"""The build of the documentation: hooks of mkdocs, plots, the table of ops, notebooks."""
