"""A central system in memory for a charge point in memory: every message is held against the
schemas that the ``ocpp`` package ships, in both directions."""

import json
from collections.abc import Callable
from typing import Any

from ocpp.messages import Call, CallResult, _validate_payload

from firmware_sim.devices.device import Output
from firmware_sim.devices.ocpp.charging import ChargingStation

Answers = dict[str, Callable[[dict[str, Any]], dict[str, Any]]]
TIME = "2026-05-04T12:00:00.000Z"


class Central:
    """Answers what the station says, keeps it, and asks."""

    def __init__(self, station: ChargingStation, version: str, answers: Answers) -> None:
        self.station, self.version = station, version
        self.answers = answers
        self.now_ms = 0
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.words: list[str] = []
        self.results: dict[str, Any] = {}
        self.message_ids: list[str] = []
        self.is_reachable = True
        self.is_deaf = False
        self._asked: dict[str, str] = {}

    def boot(self) -> "Central":
        self.hear(self.station.boot(self.now_ms))
        self.pass_s(0.1)
        return self

    def hear(self, outputs: list[Output]) -> None:
        for output in outputs:
            for line in output.payload.splitlines():
                self._line(line)

    def feed(self, line: bytes) -> None:
        self.hear(self.station.feed(line + b"\n", self.now_ms))

    def pass_s(self, seconds: float) -> None:
        """Let time pass, alarm by alarm."""
        end_ms = self.now_ms + round(seconds * 1000)
        for _ in range(100_000):
            due = self.station.next_deadline_ms()
            if due is None or due > end_ms:
                break
            self.now_ms = max(due, self.now_ms)
            self.hear(self.station.poll(self.now_ms))
        else:
            raise AssertionError("the station's alarms do not end")
        self.now_ms = end_ms

    def ask(self, action: str, **payload: Any) -> Any:
        """Ask the station; its answer, or the error's code."""
        message_id = f"c{len(self._asked)}"
        self._asked[message_id] = action
        self.feed(json.dumps([2, message_id, action, payload]).encode())
        return self.results[message_id]

    def cut(self) -> None:
        self.feed(b"NO CARRIER")

    def all(self, action: str) -> list[dict[str, Any]]:
        return [payload for said, payload in self.said if said == action]

    def last(self, action: str) -> dict[str, Any]:
        return self.all(action)[-1]

    def actions(self) -> list[str]:
        return [action for action, _ in self.said]

    def _line(self, line: bytes) -> None:
        if not line.startswith(b"["):
            self.words.append(line.decode())
            if line.startswith(b"DIAL"):
                self.feed(b"CONNECT" + line[4:] if self.is_reachable else b"NO CARRIER")
            return
        kind, message_id, *rest = json.loads(line)
        if kind == 2:
            self._answer(message_id, *rest)
        elif kind == 3:
            result = CallResult(message_id, rest[0], self._asked[message_id])
            _validate_payload(result, self.version)
            self.results[message_id] = rest[0]
        else:
            self.results[message_id] = rest[0]

    def _answer(self, message_id: str, action: str, payload: dict[str, Any]) -> None:
        _validate_payload(Call(message_id, action, payload), self.version)
        self.said.append((action, payload))
        self.message_ids.append(message_id)
        if self.is_deaf:
            return
        answer = self.answers.get(action, lambda _: {})(payload)
        if "error" in answer:
            self.feed(json.dumps([4, message_id, answer["error"], "", {}]).encode())
            return
        _validate_payload(CallResult(message_id, answer, action), self.version)
        self.feed(json.dumps([3, message_id, answer]).encode())
