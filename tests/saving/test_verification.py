"""Verification finds every changed number in a file."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.saving.examples import described, lecture, vectorized
from tinygraph import Value, binary_cross_entropy, load, save, sigmoid
from tinygraph.saving.format import GraphFileError


def numbers_in(said, way=()):
    """Yield the positions of all numbers in a file that an op or a pass computed."""
    if isinstance(said, dict):
        for key, entry in said.items():
            if key not in ("args", "op", "shape", "version", "roots", "values", "nodes") or way == ():
                yield from numbers_in(entry, (*way, key))
    elif isinstance(said, list):
        for i, entry in enumerate(said):
            yield from numbers_in(entry, (*way, i))
    elif isinstance(said, float):
        yield way


@given(seed=st.integers(0, 10**6), make=st.sampled_from([lecture, vectorized]))
def test_every_changed_number_is_found(seed, make, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "graph.json"
    root = make()
    save(root, path)
    said = json.loads(path.read_text())
    *way, last = random.Random(seed).choice([way for way in numbers_in(said) if way[0] == "nodes"])
    place = said
    for key in way:
        place = place[key]
    place[last] += 0.001
    path.write_text(json.dumps(said))
    load(path)
    if way[1] == said["roots"] and "grad" in (*way, last):
        return  # the seed of the pass, which cannot be verified
    with pytest.raises(GraphFileError, match=r"node \d+ \(.+\)"):
        load(path, verify=True)


@pytest.mark.parametrize("slope", [0.0, -0.0, 5e-324])
def test_a_damaged_activation_is_named(slope, path):
    """A fuzzed file: the cross-entropy divides by the local derivative of its sigmoid."""
    loss = binary_cross_entropy(sigmoid(Value(0.3, "z")), 1.0)
    said = json.loads(save(loss, path).read_text())
    said["nodes"][1]["partials"] = [slope]
    path.write_text(json.dumps(said))
    assert load(path).data == loss.data
    with pytest.raises(GraphFileError, match=r"node 1 \(σ\(z\)\): its local derivative .* but its op computes 0.2444"):
        load(path, verify=True)


def test_the_first_difference_is_named(path):
    said = json.loads(save(lecture(), path).read_text())
    said["nodes"][3]["data"] = 7.0
    path.write_text(json.dumps(said))
    with pytest.raises(
        GraphFileError, match=r"graph.json, node 3 \(u = b × c\): its data is 7.0, but its op computes 6.0"
    ):
        load(path, verify=True)
    said["nodes"][3].update(data=6.0, partials=[2.0, 4.0])
    path.write_text(json.dumps(said))
    with pytest.raises(
        GraphFileError, match=r"local derivative with respect to operand 2 is 4.0, but its op computes 3.0"
    ):
        load(path, verify=True)
    said["nodes"][3].update(partials=[2.0, 3.0])
    said["nodes"][1]["grad"] = 5.0
    path.write_text(json.dumps(said))
    with pytest.raises(GraphFileError, match=r"its grad is 5.0, but its contributions add up to 6.0"):
        load(path, verify=True)


def test_gradients_that_are_not_of_one_pass_are_kept_and_not_doubted(path):
    J = lecture()
    J.backward(accumulate=True)
    J.args[1].args[0].grad = 7.5
    assert "gradients" not in json.loads(save(J, path).read_text())
    assert described(load(path, verify=True)) == described(J)
