"""The board's counters in Prometheus form, read off the devices when asked."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from pydantic import JsonValue

from firmware_sim.board import Board


class _BoardCollector(Collector):
    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterator[CounterMetricFamily]:
        traffic = CounterMetricFamily(
            "tillway_sim_line_bytes", "Bytes over a device's line", labels=("device", "direction")
        )
        deeds = CounterMetricFamily(
            "tillway_sim_deeds", "What the devices did", labels=("device", "deed")
        )
        for name, link in self._board.links.items():
            traffic.add_metric((name, "to_device"), link.counts.to_device_bytes)
            traffic.add_metric((name, "to_client"), link.counts.to_client_bytes)
            traffic.add_metric((name, "garbled"), link.counts.garbled_bytes)
            traffic.add_metric((name, "lost"), link.counts.lost_bytes)
            state, kind = self._board.state(name), self._board.kinds[name]
            for counter in kind.counters:
                deeds.add_metric((name, counter), _number(state[counter]))
        yield traffic
        yield deeds


def _number(value: JsonValue) -> int:
    assert isinstance(value, int), "a kind's counters are numbers"
    return value


def render_metrics(board: Board) -> bytes:
    """The text that Prometheus reads."""
    registry = CollectorRegistry()
    registry.register(_BoardCollector(board))
    return generate_latest(registry)
