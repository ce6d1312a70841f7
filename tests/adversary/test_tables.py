"""The stub's DynamoDB judges conditions and updates as DynamoDB does."""

from __future__ import annotations

import pytest

from tests.adversary.tables import ConditionFailedError, Table


@pytest.fixture
def table() -> Table:
    """A table of one item, with a map in it."""
    made = Table("k")
    made.put({"Item": {"k": {"S": "a"}, "n": {"N": "5"}, "m": {"M": {"x.y": {"M": {"s": {"S": "old"}}}}}}})
    return made


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("attribute_exists(n)", True),
        ("attribute_not_exists(n)", False),
        ("n = :five AND n < :nine", True),
        ("n > :nine OR NOT attribute_exists(gone)", True),
        ("(n >= :nine OR n <= :five) AND n <> :nine", True),
        ("gone = :five", False),
        ("attribute_exists(m.#path.s)", True),
        ("attribute_exists(m.#path.gone)", False),
    ],
)
def test_a_condition(table: Table, condition: str, *, holds: bool) -> None:
    """It holds or refuses, and a refusal shows the item where that is asked."""
    request = {
        "Key": {"k": {"S": "a"}},
        "UpdateExpression": "SET n = n + :five",
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#path": "x.y"},
        "ExpressionAttributeValues": {":five": {"N": "5"}, ":nine": {"N": "9"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if holds:
        table.update(request)
        assert table.items["a"]["n"] == {"N": "10"}
    else:
        with pytest.raises(ConditionFailedError) as refused:
            table.update(request)
        assert refused.value.item == table.items["a"]


def test_an_update_of_a_path_and_of_a_list(table: Table) -> None:
    """Nested attributes are set and removed, lists begun and made longer."""
    table.update(
        {
            "Key": {"k": {"S": "a"}},
            "UpdateExpression": "SET m.#path.s = :new, l = list_append(if_not_exists(l, :none), :one) REMOVE n",
            "ExpressionAttributeNames": {"#path": "x.y"},
            "ExpressionAttributeValues": {":new": {"S": "new"}, ":none": {"L": []}, ":one": {"L": [{"N": "1"}]}},
        }
    )
    assert table.items["a"] == {
        "k": {"S": "a"},
        "m": {"M": {"x.y": {"M": {"s": {"S": "new"}}}}},
        "l": {"L": [{"N": "1"}]},
    }
