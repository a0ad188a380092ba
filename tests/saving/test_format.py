"""Values and ops are restored bit for bit, and files match the schema."""

import json
import math
import struct

import numpy as np
import pytest

import tinygraph
from tests.saving.examples import described, lecture, vectorized
from tinygraph import Tensor, Value, load, save
from tinygraph.logistic import two_loops
from tinygraph.saving.format import GraphFileError, schema

SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308, 0.1]


@pytest.mark.parametrize("x", SPECIAL)
def test_special_numbers_keep_their_bits(x, path):
    y = Value(x, "x") * x + Value(-0.0, "zero", constant=True)
    y.grad = x
    assert described(load(save(y, path))) == described(y)
    z = Tensor([x, 1.0], "x") * np.array([x, -0.0])
    assert described(load(save(z, path))) == described(z)


def test_nan_keeps_its_payload(path):
    odd = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_DEAD_BEEF))[0]
    loaded = load(save(Value(odd), path))
    assert struct.pack("<d", loaded.data) == struct.pack("<d", odd)


def test_an_op_of_ones_own_is_found_by_its_name(path):
    tripled = tinygraph.op("tripled", lambda x: 3.0 * x, partials=(lambda out, x: 3.0,))
    y = tripled(Value(2.0, "x"))
    assert load(save(y, path), verify=True).op is tripled
    text = path.read_text().replace("tripled", "quadrupled")
    path.write_text(text)
    with pytest.raises(GraphFileError, match=r"no op 'quadrupled'.*register it"):
        load(path)


def test_every_family_of_ops_comes_back(path):
    x = Value(1.5, "x")
    y = tinygraph.total(
        [x**3, x**0.5, tinygraph.pow(x, Value(2.5, "y")), 1.0 / x, x.sqrt(), tinygraph.dot([x, x], [2.0, x])]
    )
    y = tinygraph.total([y, tinygraph.binary_cross_entropy(tinygraph.sigmoid(x), Value(0.25, "t"))])
    for _ in range(3):
        y = tinygraph.grad(y, x, create_graph=True)
    assert described(load(save(y, path), verify=True)) == described(y)


def test_every_kind_of_wiring_comes_back(path):
    A = Tensor(np.arange(12.0).reshape(3, 4), "A")
    mask = np.array([True, False, True])
    parts = [
        A[0], A[1:, ::2].sum(axis=0), A[[0, 2, 2]].mean(axis=(0, 1)), A[mask].max(axis=0), A[..., None].min(),
        A.T @ np.ones(3), A.reshape((4, 3)).sum(axis=1, keepdims=True), tinygraph.stack([A, A], axis=1).sum(),
        tinygraph.concatenate([A, A], axis=-1).max(axis=1), A.transpose((1, 0))[np.array([[0, 1], [3, 3]])],
    ]  # fmt: skip
    y = sum((part * part).sum() for part in parts)
    first = tinygraph.grad(y, A, create_graph=True)
    second = (first * first).sum()
    assert described(load(save(second, path), verify=True)) == described(second)


@pytest.mark.parametrize(
    "make", [lecture, vectorized, lambda: two_loops([Value(0.1, "w")], Value(0.0, "b"), [[1.0], [2.0]], [0, 1])]
)
def test_what_is_saved_is_as_the_schema_says(make, path):
    jsonschema = pytest.importorskip("jsonschema", reason="no jsonschema: pip install --group oracles")
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(json.loads(save(make(), path).read_text()), schema())


def test_every_op_that_rearranges_elements_comes_back(path):
    A = Tensor(np.arange(12.0).reshape(3, 4), "A")
    parts = [
        np.roll(A, (1, 2), axis=(0, 1)), np.tile(A, (2, 1)), A.repeat(2, axis=1), A.repeat([1, 0, 2], axis=0),
        np.pad(A, 1), np.pad(A, ((1, 0), (0, 2)), constant_values=(2.0, np.inf))[1:], np.pad(A, 2, "reflect"),
        A.diagonal(1), np.diag(A[0], -1), np.tril(A), np.triu(A, 1), A.copy(), A.take([0, 5, 5]),
        tinygraph.set_at(A, (slice(None), [0, 1, 0]), A[:, :3]), np.insert(A, [1, 2], 0.5, axis=1),
        A.reshape(4, 3, order="F"),
    ]  # fmt: skip
    y = sum((part * part).sum() for part in parts)
    first = tinygraph.grad(y, A, create_graph=True)
    second = (first * first).sum()
    assert described(load(save(second, path), verify=True)) == described(second)
