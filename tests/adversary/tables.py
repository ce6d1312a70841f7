"""A DynamoDB table, as far as conditional writes need one: expressions are read and judged here, by themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_WORD = re.compile(r"\s*(<=|>=|<>|[=<>(),]|[#:]?[A-Za-z_][\w.]*)")

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
        """Carry out UpdateItem: SET with plain values, and REMOVE."""
        name = request["Key"][self.key]["S"]
        self._judge(request, name)
        item: Item = {**request["Key"], **self.items.get(name, {})}
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        for clause, rest in re.findall(r"\b(SET|REMOVE)\b(.*?)(?=\bSET\b|\bREMOVE\b|$)", request["UpdateExpression"]):
            for part in rest.split(","):
                left, _, right = (piece.strip() for piece in part.partition("="))
                if clause == "SET":
                    item[names.get(left, left)] = values[right]
                else:
                    item.pop(names.get(left, left), None)
        self.items[name] = item
        return {"Attributes": item} if request.get("ReturnValues") == "ALL_NEW" else {}

    def _judge(self, request: dict[str, Any], name: str) -> None:
        if "ConditionExpression" not in request:
            return
        held = self.items.get(name)
        if not Condition(request, held or {}).holds():
            asked = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            raise ConditionFailedError(held if asked else None)


class Condition:
    """One condition expression, judged against one item by recursive descent."""

    def __init__(self, request: dict[str, Any], item: Item) -> None:
        self._words = _WORD.findall(request["ConditionExpression"])
        self._names = request.get("ExpressionAttributeNames", {})
        self._values = request.get("ExpressionAttributeValues", {})
        self._item = item

    def holds(self) -> bool:
        """Judge it."""
        result = self._either()
        if self._words:
            raise ValueError(f"not understood from {self._words} on")
        return result

    def _either(self) -> bool:
        result = self._both()
        while self._next("OR"):
            right = self._both()
            result = result or right
        return result

    def _both(self) -> bool:
        result = self._single()
        while self._next("AND"):
            right = self._single()
            result = result and right
        return result

    def _single(self) -> bool:
        if self._next("NOT"):
            return not self._single()
        if self._next("("):
            result = self._either()
            self._take(")")
            return result
        word = self._words.pop(0)
        if word in ("attribute_exists", "attribute_not_exists"):
            self._take("(")
            name = self._words.pop(0)
            self._take(")")
            present: bool = self._names.get(name, name) in self._item
            return present is (word == "attribute_exists")
        left, operator, right = self._operand(word), self._words.pop(0), self._operand(self._words.pop(0))
        if left is None or right is None or type(left) is not type(right):
            return bool(operator == "<>" and left != right)
        verdicts: dict[str, bool] = {
            "=": left == right,
            "<>": left != right,
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
        }
        return verdicts[operator]

    def _operand(self, word: str) -> Any:
        typed = self._values[word] if word.startswith(":") else self._item.get(self._names.get(word, word))
        if typed is None:
            return None
        kind, value = next(iter(typed.items()))
        return float(value) if kind == "N" else value

    def _next(self, word: str) -> bool:
        if self._words and self._words[0].upper() == word:
            self._words.pop(0)
            return True
        return False

    def _take(self, word: str) -> None:
        if not self._next(word):
            raise ValueError(f"{word} expected before {self._words}")
