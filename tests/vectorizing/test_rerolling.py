"""Groups of scalar nodes: the fast method for a single sum agrees with the clear method for many."""

from hypothesis import given

from tinygraph.testing import graphs
from tinygraph.vectorizing.flat import Flat
from tinygraph.vectorizing.kinds import SUM
from tinygraph.vectorizing.rerolling import Roll


@given(program=graphs(max_steps=20))
def test_the_terms_of_one_sum_are_found_as_those_of_many(program):
    roll = Roll(Flat(program.record()[0]))
    for group in roll.groups:
        if group.op == SUM and group.single:
            fast, clear = roll._parts_of_one(group), roll._parts_of_many(group)
            assert [(part.sign, part.source, part.table.tolist(), part.owners) for part in fast] == [
                (part.sign, part.source, part.table.tolist(), part.owners) for part in clear
            ]
            assert [[axis.size for axis in part.axes] for part in fast] == [
                [axis.size for axis in part.axes] for part in clear
            ]
