"""The benchmarks measure the same computation with each engine, and each public function of a graph."""

from __future__ import annotations

import json

import pytest

import tinygraph
from tinygraph.engine import ops
from tinygraph.engine.graph import order
from tinygraph.engine.more_ops import FILES
from tools.benchmarks import floor, large
from tools.benchmarks.clocks import minima
from tools.benchmarks.operations import GRAPHS, MEASURED, OPERATIONS
from tools.benchmarks.report import Report, machine, versions, write
from tools.benchmarks.workloads import OURS, data, logistic_cost, mlp_loss
from tools.site import benchmarks

# Names that do no work for each node of a given graph: errors, contexts, arrays, functions of functions, and modules.
WITHOUT_A_GRAPH = {
    "FrozenBranchError", "StaleGraphError", "name_from", "scope", "strict", "trace_lines", "op", "Tensor",
    "concatenate", "stack", "cross_entropy", "log_softmax", "logsumexp", "softmax", "set_at",
    "from_jax", "to_jax", "from_torch", "to_torch", "check_grad", "numeric_grad",
    "bridges", "checking", "drawing", "datasets", "logistic", "misconceptions", "nn",
    "testing", "worksheets", "__version__",
}  # fmt: skip


@pytest.mark.skipif(floor.compiler() is None, reason="no C compiler")
def test_the_floor_computes_the_values_and_gradients_of_tinygraph():
    engines = (OURS, floor.engine())
    ours, theirs = (logistic_cost(engine, *data(7)) for engine in engines)
    (loss, layers), (floor_loss, floor_layers) = (mlp_loss(engine) for engine in engines)
    for root in (ours[0], theirs[0], loss, floor_loss):
        root.backward()
    assert (ours[0].data, loss.data) == pytest.approx((theirs[0].data, floor_loss.data), rel=1e-13)
    parameters = [[*w, b] for w, b in (ours[1:], theirs[1:])]
    parameters[0] += [p for layer in layers for w, b in layer for p in (*w, b)]
    parameters[1] += [p for layer in floor_layers for w, b in layer for p in (*w, b)]
    assert [p.grad for p in parameters[0]] == pytest.approx([p.grad for p in parameters[1]], rel=1e-12, abs=1e-15)


def test_each_public_name_is_measured_or_does_not_work_on_each_node():
    names = {*tinygraph.__all__, *tinygraph._LATER} - {*ops.__all__, *FILES}
    assert names == {*MEASURED, *WITHOUT_A_GRAPH} & names
    assert set(MEASURED.values()) <= set(OPERATIONS)
    assert not set(MEASURED) & WITHOUT_A_GRAPH


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_runs(graph, name, tmp_path):
    J = GRAPHS[graph](40)
    J.backward()
    OPERATIONS[name][1](J, order(J)[-1], tmp_path / "J.json")


def test_the_graph_without_structure_has_no_two_nodes_that_are_computed_in_the_same_way():
    root = large.irregular(300)
    computed = [group for group in tinygraph.vectorize(root).groups if isinstance(group.op, tinygraph.engine.op.Op)]
    assert sum(group.single for group in computed) > 0.95 * len(computed) > 200


def test_a_report_keeps_what_it_prints(tmp_path, capsys):
    report = Report()
    report.add("W2 single", "tinygraph", 0.018, "÷ micrograd", 0.02, 0.001)
    assert "0.018 ÷ micrograd   ≤ 0.02" in capsys.readouterr().out
    write(tmp_path / "figures.json", report.rows)
    found = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert found == {"machine": machine(), "versions": versions(), "rows": report.rows, "growth": []}


def test_the_shortest_time_of_each_run_counts():
    times = iter([3.0, 30.0, 2.0, 10.0, 4.0, 20.0])
    assert minima({"a": None, "b": None}, lambda run: next(times), 3) == {"a": 2.0, "b": 10.0}


def test_the_page_shows_each_bound_beside_its_figure():
    rows = benchmarks.figures()["rows"]
    lines = benchmarks.table("bounds").splitlines()[2:]
    assert len(lines) == sum(row["bound"] is not None for row in rows) > 15
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        figure, bound = float(cells[2].split()[0].replace(",", "")), float(cells[3].replace(",", ""))
        assert cells[4] == "yes" if figure < bound * 0.99 else figure > bound * 0.99
        assert cells[4] == "yes" or cells[6], f"a bound that is not reached needs a note in notes.json: {line}"


def test_the_page_names_the_machine_and_each_measured_operation():
    assert benchmarks.figures()["machine"]["processor"] in benchmarks.table("machine")
    growth = benchmarks.table("growth")
    assert all(f"| {name} |" in growth for name in OPERATIONS)
