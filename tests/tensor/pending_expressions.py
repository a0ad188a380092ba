"""Expressions of the list that do not work yet. A test fails if one of them works, until it is removed here."""

PENDING: set[str] = {
    "n.round()",
    "np.vecdot(t, w, axis=0)",
    "t.nbytes",
    "t.itemsize",
    "np.searchsorted([0.3, 0.5, 0.7], t)",
}
