"""Checks calls of the Bot API against its machine-readable description (api.json).

`Schema.problems_of_call` takes an entry of the demo's call log, so that every call of a whole
run can be checked: the request's parameters and the answer, by recursion over the types.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

API_JSON = Path(__file__).resolve().parents[2].parent / "shared" / "botapi" / "api.json"
ABSENT = "the Bot API's description (../shared/botapi/api.json) is not on this machine"

_SCALARS: dict[str, tuple[type, ...]] = {
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
    "True": (bool,),
    "String": (str,),
}


class Schema:
    """The Bot API's methods and types."""

    def __init__(self, path: Path = API_JSON) -> None:
        description = json.loads(path.read_text(encoding="utf-8"))
        self.methods: dict[str, dict[str, Any]] = description["methods"]
        self.types: dict[str, dict[str, Any]] = description["types"]

    def problems_of_calls(self, calls: Iterable[dict[str, Any]]) -> list[str]:
        """What is wrong with the calls to Telegram in a call log (`Call.as_dict()` entries).

        Calls that were refused are checked for the shape of the refusal only: a refusal may be
        just what the test wanted.
        """
        return [
            problem
            for call in calls
            if call["to"] == "telegram"
            for problem in self.problems_of_call(call)
        ]

    def problems_of_call(self, call: dict[str, Any]) -> list[str]:
        """What is wrong with one call."""
        method, answer = call["method"], call["answer"]
        if not answer["ok"]:
            return self._refusal(method, call["status"], answer)
        return [
            *self.problems_of_request(method, call["request"]),
            *self.problems_of_answer(method, answer["result"]),
        ]

    def problems_of_request(self, method: str, request: dict[str, Any]) -> list[str]:
        """Unknown, missing and wrongly typed parameters, as sent in JSON or as form texts."""
        if method not in self.methods:
            return [f"{method}: no such method"]
        fields = {field["name"]: field for field in self.methods[method].get("fields", [])}
        problems = [
            f"{method}: {name} is required"
            for name, field in fields.items()
            if field["required"] and request.get(name) is None
        ]
        for name, value in request.items():
            if name in fields:
                problems += self._parameter(f"{method}.{name}", fields[name]["types"], value)
            elif not _is_upload(value):
                problems.append(f"{method}: {name} is no parameter")
        return problems

    def problems_of_answer(self, method: str, result: Any) -> list[str]:
        """What of a result does not fit the method's return types."""
        if method not in self.methods:
            return [f"{method}: no such method"]
        return self._any(f"{method}()", self.methods[method]["returns"], result)

    def problems_of_type(self, where: str, name: str, value: Any) -> list[str]:
        """What of a value does not fit the type ("Message", "Array of Update", …)."""
        if name.startswith("Array of "):
            if not isinstance(value, list):
                return [f"{where}: {name} expected, not {value!r:.60}"]
            inner = name.removeprefix("Array of ")
            return [
                problem
                for index, item in enumerate(value)
                for problem in self.problems_of_type(f"{where}[{index}]", inner, item)
            ]
        if name in _SCALARS:
            right = isinstance(value, _SCALARS[name])
            if isinstance(value, bool) and name in ("Integer", "Float"):
                right = False
            if name == "True" and value is not True:
                right = False
            return [] if right else [f"{where}: {name} expected, not {value!r:.60}"]
        if name == "InputFile":
            return [] if _is_upload(value) else [f"{where}: a file expected, not {value!r:.60}"]
        return self._object(where, name, value)

    def _object(self, where: str, name: str, value: Any) -> list[str]:
        described = self.types.get(name)
        if described is None:
            return [f"{where}: {name} is no type"]
        if subtypes := described.get("subtypes"):
            return self._any(where, subtypes, value)
        if not isinstance(value, dict):
            return [f"{where}: {name} expected, not {value!r:.60}"]
        fields = {field["name"]: field for field in described.get("fields", [])}
        problems = [
            f"{where}: {name} needs {field}"
            for field, about in fields.items()
            if about["required"] and field not in value
        ]
        for key, item in value.items():
            if key not in fields:
                problems.append(f"{where}: {name} has no {key}")
            else:
                problems += self._any(f"{where}.{key}", fields[key]["types"], item)
        return problems

    def _any(self, where: str, names: list[str], value: Any) -> list[str]:
        """The problems with the best fitting of several types."""
        return min((self.problems_of_type(where, name, value) for name in names), key=len)

    def _parameter(self, where: str, names: list[str], value: Any) -> list[str]:
        """A parameter in JSON, or its text in a form (objects and arrays as JSON text)."""
        direct = self._any(where, names, value)
        if not direct or not isinstance(value, str):
            return direct
        if _is_upload(value) and "InputFile" in names:
            return []
        try:
            decoded = json.loads(value)
        except ValueError:
            return direct
        return self._any(where, names, decoded)

    @staticmethod
    def _refusal(method: str, status: int, answer: dict[str, Any]) -> list[str]:
        wrong = answer.keys() - {"ok", "error_code", "description", "parameters"}
        if wrong or answer.get("error_code") != status or not answer.get("description"):
            return [f"{method}: a refusal of the wrong shape: {answer}"]
        return []


def _is_upload(value: Any) -> bool:
    """The call log shows a file as "<file name, n bytes>"."""
    return isinstance(value, str) and value.startswith("<file ")
