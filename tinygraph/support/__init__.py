"""What every layer may need and what knows nothing of a graph: messages, files, the terminal."""
