"""`read_csv` reads a valid file; for an invalid one, it raises one sentence with file, row and column."""

import pytest

from tinygraph.datasets import TableError, read_csv

GOOD = "x,y,label\n1,2,a\n3,4,b\n"


def read(tmp_path, text, target="label"):
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_csv(path, target)


def test_a_table_is_read(tmp_path):
    table = read(tmp_path, GOOD)
    assert (table.features, table.classes, table.X, table.y) == (("x", "y"), ("a", "b"), [[1, 2], [3, 4]], [0, 1])


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD + "\n\n",
        GOOD.rstrip("\n"),
        GOOD.replace("x,y", " x , y"),
        GOOD.replace("1,2", '"1", 2 '),
        GOOD.replace("3,4", "3e0,+4."),
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
    ],
)
def test_the_ways_files_are_written(tmp_path, text):
    assert read(tmp_path, text) == read(tmp_path, GOOD)


def test_labels_are_compared_as_written_and_sorted_as_numbers(tmp_path):
    table = read(tmp_path, "x,label\n1,10\n2,9\n3,9\n4,10\n")
    assert (table.classes, table.y) == (("9", "10"), [1, 0, 0, 1])
    for first, second in (
        ("7", "007"),
        ("9007199254740992", "9007199254740993"),
        ("9", "9.0"),
        ("-1", "+1"),
        ("2", "yes"),
    ):
        table = read(tmp_path, f"x,label\n1,{first}\n2,{second}\n3,{first}\n")
        assert [table.classes[y] for y in table.y] == [first, second, first]
    assert read(tmp_path, "x,label\n1,9007199254740993\n2,9007199254740992\n").classes[0].endswith("2")
    for first, second in (("1", "nan"), ("-inf", "1e999999999"), ("1", "sNaN"), ("2", "one")):
        assert read(tmp_path, f"x,label\n1,{second}\n2,{first}\n").classes == (first, second)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty$"),
        ("\n\n", "is empty$"),
        ("x,label\n", "has a header but no rows$"),
        ("x,labels\n1,a\n", "no column 'label'; the most similar name is 'labels'$"),
        ("x,y\n1,2\n", "no column 'label'; the columns are x, y$"),
        ("label\na\nb\n", "no feature to learn from"),
        ("x,x,label\n1,2,a\n", "row 1: two columns have the name 'x'; rename one"),
        ("x,label\n1,a\n2\n", "row 3: the row has 1 cell, but the header has 2$"),
        ("x,label\n1,a\n2,b,c\n", "row 3: the row has 3 cells"),
        ("x,label\n1,a\nbig,b\n", "row 3, column 'x': 'big' is not a number$"),
        ("x,label\n1,a\n1_000,b\n", "'1_000' is not a number"),
        ("x,label\n1,a\n\n,b\n", "row 4, column 'x': the cell is empty"),
        ("x,label\n1,a\nnan,b\n", "row 3, column 'x': 'nan' is not a finite number"),
        ("x,label\n1,a\n-inf,b\n", "'-inf' is not a finite number"),
        ("x,label\n1,a\n1e999,b\n", "'1e999' is not a finite number"),
        ("x,label\n1,a\n2,\n", "row 3, column 'label': the cell is empty"),
        ("x,label\n1,a\n2,a\n", "column 'label': all 2 rows are of class 'a'"),
        ("x,label\n1,a\n2,b\n3,c\n", "row 4, column 'label': 'c' is a third class, after 'a' and 'b'"),
        (b"x,label\n1,\xff\n", "is not UTF-8 text"),
        (
            "x;label\n1,5;a\n",
            "'1,5' is not a number; use a point as the decimal separator, and remove thousands separators$",
        ),
        (
            'x,label\n"1,234.5",a\n',
            "'1,234.5' is not a number; use a point as the decimal separator, and remove thousands separators$",
        ),
        ("x,label\n١٢,a\n", "is not a number; use the digits 0 to 9$"),
        ("x,label\n１２,a\n", "is not a number; use the digits 0 to 9$"),
        ("x,label\n1,a,2\n", "row 2: the row has 3 cells, but the header has 2; add a header for the row names$"),
        ("x|label\n1|a\n", "no column 'label'"),
        ('x,label\n1,"a\n', "is not a valid CSV file"),
    ],
)
def test_a_bad_table_gets_one_sentence(tmp_path, text, message):
    with pytest.raises(TableError, match=message) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "t.csv"))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_file(tmp_path):
    with pytest.raises(TableError, match="there is no such file"):
        read_csv(tmp_path / "none.csv", "label")
    with pytest.raises(TableError, match="cannot be read: Is a directory"):
        read_csv(tmp_path, "label")


def test_a_column_without_a_name_is_left_out_with_one_sentence(tmp_path):
    """pandas and R write the row numbers into such a column; as a feature they would leak the order of the rows."""
    with pytest.warns(UserWarning, match=r"t\.csv: column 1 has no name, so it is left out$"):
        table = read(tmp_path, ",x,label\n0,1,a\n1,3,b\n")
    assert (table.features, table.X) == (("x",), [[1], [3]])
    with pytest.warns(UserWarning, match="column 3 has no name"):
        assert read(tmp_path, "x,label,\n1,a,\n3,b,note\n").X == [[1], [3]]
    with pytest.warns(UserWarning, match="has no name") as caught:
        read(tmp_path, ",x,,label\n0,1,,a\n1,3,,b\n")
    assert len(caught) == 2
    with pytest.raises(TableError, match="no feature to learn from"):
        read(tmp_path, ",label\n0,a\n1,b\n")
