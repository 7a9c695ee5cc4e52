"""The hub's numbers, for ``/metrics`` and the status page. Read from the core when asked."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hub.domain.core import HubCore
from hub.spool.writer import SpoolWriter


class Tally:
    """What the shell counts itself."""

    def __init__(self) -> None:
        self.arrivals = {"mqtt": 0, "coap": 0, "local": 0}
        self.batches = {"answered": 0, "lost": 0, "put_off": 0, "refused": 0}
        self.items = 0
        self.delivered = 0
        self.pushes = 0
        self.coap_limited = 0
        self.ignored = 0
        """Publishes of kinds that the hub does not forward (state, telemetry)."""


class HubCollector(Collector):
    """Shows the core's numbers to Prometheus."""

    def __init__(
        self,
        core: HubCore,
        writer: SpoolWriter,
        tally: Tally,
        now_ms: Callable[[], int],
        clock_ahead_s: Callable[[], int],
    ) -> None:
        self._core = core
        self._writer = writer
        self._tally = tally
        self._now_ms = now_ms
        self._clock_ahead_s = clock_ahead_s

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        yield from self._counters()
        yield from self._gauges()

    def numbers(self) -> dict[str, int | str]:
        """The few that a person wants to see."""
        core = self._core
        return {
            "mode": core.mode(),
            "epoch": core.epoch,
            "devices": len(core.registry),
            "spool_rows": core.forwarding.rows,
            "spool_bytes": core.forwarding.weight_bytes,
            "spool_oldest_age_ms": self._oldest_age_ms(),
            "parcels": core.delivery.parcels,
            "batches_in_flight": core.forwarding.batches_on_the_way,
            "answers": self._tally.items,
            "refused": core.uplink.refused.total(),
            "cursor": core.cursor,
            "clock_ahead_s": self._clock_ahead_s(),
            "disk": "writable" if self._writer.is_writable else "full",
        }

    def _counters(self) -> Iterator[Metric]:
        core, tally = self._core, self._tally
        refused = CounterMetricFamily(
            "tillway_hub_refused", "Envelopes that the hub refused", labels=["code"]
        )
        for code, count in core.uplink.refused.items():
            refused.add_metric([code], count)
        yield refused
        arrivals = CounterMetricFamily(
            "tillway_hub_arrivals", "Messages from terminals", labels=["transport"]
        )
        for transport, count in tally.arrivals.items():
            arrivals.add_metric([transport], count)
        yield arrivals
        batches = CounterMetricFamily(
            "tillway_hub_batches", "Batches sent to the backend", labels=["outcome"]
        )
        for outcome, count in tally.batches.items():
            batches.add_metric([outcome], count)
        yield batches
        lost = CounterMetricFamily(
            "tillway_hub_parcels_lost", "Parcels given up", labels=["reason"]
        )
        for reason, count in core.delivery.lost.items():
            lost.add_metric([reason], count)
        yield lost
        for name, text, value in (
            ("answers", "Answers of the backend, checked", tally.items),
            ("delivered", "Parcels acknowledged by their device", tally.delivered),
            ("pushes", "Pushes of the backend, checked", tally.pushes),
            ("ignored", "Messages of kinds that are not forwarded", tally.ignored),
            ("coap_limited", "CoAP requests over the rate limit", tally.coap_limited),
            ("spool_commits", "Commits of the spool", self._writer.commits),
            ("spool_failures", "Commits that failed", self._writer.failures),
        ):
            yield CounterMetricFamily(f"tillway_hub_{name}", text, value=value)

    def _gauges(self) -> Iterator[Metric]:
        core = self._core
        for name, text, value in (
            ("line_up", "1 while the backend answers", int(core.line.is_up)),
            ("spool_rows", "Envelopes without an answer", core.forwarding.rows),
            ("spool_bytes", "Their bytes", core.forwarding.weight_bytes),
            ("spool_oldest_age_ms", "Age of the oldest of them", self._oldest_age_ms()),
            ("spool_writable", "1 while the disk takes commits", int(self._writer.is_writable)),
            ("checks_waiting", "Envelopes before their commit", core.uplink.waiting),
            ("parcels", "Answers and pushes not acknowledged", core.delivery.parcels),
            ("batches_in_flight", "Batches on the way", core.forwarding.batches_on_the_way),
            ("devices", "Devices known", len(core.registry)),
            ("clock_ahead_s", "The clock's lead over the backend's", self._clock_ahead_s()),
        ):
            yield GaugeMetricFamily(f"tillway_hub_{name}", text, value=value)

    def _oldest_age_ms(self) -> int:
        oldest = self._core.forwarding.oldest_at_ms()
        return 0 if oldest is None else max(0, self._now_ms() - oldest)
