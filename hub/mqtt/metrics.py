"""What the MQTT server counts, as Prometheus sees it. Read at scrape time: the hot path only adds
to plain integers."""

from collections import Counter
from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_COUNTERS = {
    "connections": ("hub_mqtt_connections", "Lines opened and CONNECTs accepted.", "step"),
    "refused": ("hub_mqtt_connects_refused", "CONNECTs refused.", "reason"),
    "malformed": ("hub_mqtt_malformed", "Packets that break the protocol.", "reason"),
    "disconnected": ("hub_mqtt_disconnects", "Connections ended by the server.", "reason"),
    "publish_in": ("hub_mqtt_publishes_in", "Messages from terminals.", "kind"),
    "publish_refused": ("hub_mqtt_publishes_refused", "Messages not allowed.", "reason"),
    "publish_out": ("hub_mqtt_publishes_out", "Messages to terminals.", "outcome"),
    "dropped": ("hub_mqtt_dropped", "Retained messages that found a full queue.", "kind"),
    "ignored": ("hub_mqtt_ignored", "Packets without effect.", "packet"),
    "verdict": ("hub_mqtt_verdicts", "What the hub said to messages.", "verdict"),
}


class MqttCollector(Collector):
    """The metrics of one MQTT server."""

    def __init__(self, tally: Counter[tuple[str, str]], connected: Callable[[], int]) -> None:
        self._tally = tally
        self._connected = connected

    def collect(self) -> Iterable[Metric]:
        """All families, with the labels seen so far."""
        yield GaugeMetricFamily(
            "hub_mqtt_connected", "Terminals connected now.", value=self._connected()
        )
        families = {
            key: CounterMetricFamily(name, text, labels=[label])
            for key, (name, text, label) in _COUNTERS.items()
        }
        for (key, label), count in list(self._tally.items()):
            families[key].add_metric([label], count)
        yield from families.values()
