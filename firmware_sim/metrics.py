"""The board's counters in Prometheus form, read off the devices when asked."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from firmware_sim.board import Board
from firmware_sim.devices.ef01 import Ef01
from firmware_sim.devices.escpos import EscPosPrinter
from firmware_sim.devices.gm65 import Gm65


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
            match link.device:
                case Gm65() as scanner:
                    deeds.add_metric((name, "code_read"), scanner.codes_read)
                case EscPosPrinter() as printer:
                    deeds.add_metric((name, "receipt_cut"), printer.receipts_cut)
                    deeds.add_metric((name, "drawer_kicked"), printer.drawer_kicks)
                    deeds.add_metric((name, "command_unknown"), printer.unknown_commands)
                case Ef01() as sensor:
                    deeds.add_metric((name, "search"), sensor.searches)
        yield traffic
        yield deeds


def render_metrics(board: Board) -> bytes:
    """The text that Prometheus reads."""
    registry = CollectorRegistry()
    registry.register(_BoardCollector(board))
    return generate_latest(registry)
