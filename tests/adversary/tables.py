"""A DynamoDB table, as far as conditional writes need one: expressions are read and judged here, by themselves."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from typing import Any

_WORD = re.compile(r"\s*(<=|>=|<>|[=<>(),+-]|[#:]?[A-Za-z_]\w*(?:\.#?[A-Za-z_]\w*)*)")

type Item = dict[str, dict[str, Any]]


class ConditionFailedError(Exception):
    """The condition refused the write; `item` is what it met, where the request asked for it."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("ConditionalCheckFailedException")
        self.item = item


@dataclass(slots=True)
class Table:
    """Items by the value of their one key."""

    key: str
    items: dict[str, Item] = field(default_factory=dict)

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out GetItem."""
        held = self.items.get(request["Key"][self.key]["S"])
        return {} if held is None else {"Item": held}

    def put(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out PutItem."""
        name = request["Item"][self.key]["S"]
        self._judge(request, name)
        self.items[name] = request["Item"]
        return {}

    def update(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out UpdateItem: SET and REMOVE, with document paths, sums, `if_not_exists` and `list_append`."""
        name = request["Key"][self.key]["S"]
        self._judge(request, name)
        item: Item = copy.deepcopy({**request["Key"], **self.items.get(name, {})})
        before = copy.deepcopy(item)
        for clause, rest in re.findall(r"\b(SET|REMOVE)\b(.*?)(?=\bSET\b|\bREMOVE\b|$)", request["UpdateExpression"]):
            expression = Expression(rest, request, before)
            while True:
                *parents, last = expression.path()
                holder = item
                for parent in parents:
                    holder = holder[parent]["M"]
                if clause == "REMOVE":
                    holder.pop(last, None)
                else:
                    expression.take("=")
                    holder[last] = expression.value()
                if not expression.next(","):
                    break
            expression.end()
        self.items[name] = item
        return {"Attributes": item} if request.get("ReturnValues") == "ALL_NEW" else {}

    def _judge(self, request: dict[str, Any], name: str) -> None:
        if "ConditionExpression" not in request:
            return
        held = self.items.get(name)
        if not Expression(request["ConditionExpression"], request, held or {}).holds():
            asked = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            raise ConditionFailedError(held if asked else None)


class Expression:
    """One expression over one item, read by recursive descent."""

    def __init__(self, text: str, request: dict[str, Any], item: Item) -> None:
        self._text = text
        self._words = _WORD.findall(text)
        self._names = request.get("ExpressionAttributeNames", {})
        self._values = request.get("ExpressionAttributeValues", {})
        self._item = item

    def holds(self) -> bool:
        """Judge it as a condition."""
        result = self._either()
        self.end()
        return result

    def path(self) -> list[str]:
        """Read a document path."""
        return self._resolved(self._words.pop(0))

    def value(self) -> dict[str, Any]:
        """Read what is assigned: an operand, or a sum of two."""
        left = self._operand(self._words.pop(0))
        for sign, factor in (("+", 1), ("-", -1)):
            if self.next(sign):
                right = self._operand(self._words.pop(0))
                assert left is not None
                assert right is not None
                return {"N": str(int(left["N"]) + factor * int(right["N"]))}
        assert left is not None
        return left

    def next(self, word: str) -> bool:
        """Take the word if it comes next."""
        if self._words and self._words[0].upper() == word:
            self._words.pop(0)
            return True
        return False

    def take(self, word: str) -> None:
        """Take the word, which has to come next."""
        if not self.next(word):
            raise ValueError(f"{self._text}: {word} expected before {self._words}")

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self._words:
            raise ValueError(f"{self._text}: not understood from {self._words} on")

    def _either(self) -> bool:
        result = self._both()
        while self.next("OR"):
            right = self._both()
            result = result or right
        return result

    def _both(self) -> bool:
        result = self._single()
        while self.next("AND"):
            right = self._single()
            result = result and right
        return result

    def _single(self) -> bool:
        if self.next("NOT"):
            return not self._single()
        if self.next("("):
            result = self._either()
            self.take(")")
            return result
        word = self._words.pop(0)
        if word in ("attribute_exists", "attribute_not_exists"):
            self.take("(")
            present = self._operand(self._words.pop(0)) is not None
            self.take(")")
            return present == (word == "attribute_exists")
        left, operator, right = self._operand(word), self._words.pop(0), self._operand(self._words.pop(0))
        if left is None or right is None or left.keys() != right.keys():
            return operator == "<>"
        return _compared(operator, _plain(left), _plain(right))

    def _operand(self, word: str) -> dict[str, Any] | None:
        """Return the typed value of a placeholder, a path or a function; None where there is none."""
        if word in ("if_not_exists", "list_append"):
            self.take("(")
            first = self._operand(self._words.pop(0))
            self.take(",")
            second = self._operand(self._words.pop(0))
            self.take(")")
            if word == "if_not_exists":
                return second if first is None else first
            return {"L": [*(first or {"L": []})["L"], *(second or {"L": []})["L"]]}
        if word.startswith(":"):
            placeholder: dict[str, Any] = self._values[word]
            return placeholder
        found: dict[str, Any] | None = {"M": self._item}
        for name in self._resolved(word):
            found = (found or {}).get("M", {}).get(name)
        return found

    def _resolved(self, word: str) -> list[str]:
        return [self._names.get(part, part) for part in word.split(".")]


def _plain(typed: dict[str, Any]) -> Any:
    kind, value = next(iter(typed.items()))
    return float(value) if kind == "N" else value


def _compared(operator: str, left: Any, right: Any) -> bool:
    match operator:
        case "=":
            return bool(left == right)
        case "<>":
            return bool(left != right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case ">=":
            return bool(left >= right)
    raise ValueError(f"{operator} is no comparison")
