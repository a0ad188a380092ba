"""Build the playground: `python -m tools.playground` needs npm, Node.js and pip."""
