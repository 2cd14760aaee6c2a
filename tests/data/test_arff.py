import pytest

from dltrain.base.errors import DataError
from dltrain.data.arff import parse

HEADER = """% a comment
@RELATION r
@attribute x numeric
@attribute 'home dest' string
@attribute c {yes,'not so'}
"""


def test_quotes_missing_and_nominal() -> None:
    text = HEADER + "@data\n1.5,\"O'Hara, Ms\",yes\n\n% more\n?,'it\\'s',  'not so'\n2,?,?\n3,'?',yes\n"
    table = parse(text, origin="t.arff")
    assert table.columns["x"].to_pylist() == [1.5, None, 2.0, 3.0]
    assert table.columns["home dest"].to_pylist() == ["O'Hara, Ms", "it's", None, "?"]
    assert table.columns["c"].to_pylist() == ["yes", "not so", None, "yes"]
    assert set(table.declared) == {"c"}
    assert table.where(1) == "t.arff line 10"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + "@data\n1,a\n", "line 7: expected 3 fields, one for each attribute, got 2"),
        (HEADER + "@data\nbad,a,yes\n", "line 7: attribute 'x' is numeric, got 'bad'"),
        (
            HEADER + "@data\n1,a,yess\n",
            "line 7: 'yess' is not a declared value of attribute 'c'. Did you mean 'yes'",
        ),
        (HEADER + "@data\n1,'a,yes\n", "line 7: a quote is not closed"),
        (HEADER + "@data\n{0 1}\n", "sparse"),
        (HEADER + "@data\n", "no rows"),
        (HEADER, "@data is missing"),
        (HEADER + "@attribute x real\n@data\n1,a,yes,2\n", "two columns are named 'x'"),
        ("@relation r\n@attribute b relational\n", "line 2: attribute 'b' has the type 'relational'"),
        ("x,y\n1,2\n", "line 1: expected @relation"),
    ],
)
def test_faults_name_the_line(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse(text, origin="t.arff")
