"""Expressions of the list that do not work yet. A test fails if one of them works, until it is removed here."""

PENDING: set[str] = set()
