"""Compare two graphs: match their nodes, and find the first node or step that differs."""
