"""Helpers that do not depend on graphs: messages, files and the terminal."""
