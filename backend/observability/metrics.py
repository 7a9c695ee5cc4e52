"""The numbers of this process, in a registry of its own so that two backends fit in one test.

Labels are taken from closed sets (error codes, known message types), never from what a caller
sent, so that nobody can grow the registry.
"""

from collections.abc import Mapping
from functools import cache

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from backend.observability.flows import FlowMeter
from protocol.messages import REQUESTS

_log = structlog.get_logger()
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_RISK_SECONDS = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.05)
CALLBACK_STATES = ("pending", "queued", "dead")
BREAK_STATES = ("pooled", "posted", "returning", "waiting")
_SIZES = (1, 2, 5, 10, 20, 30, 40, 50)


class Metrics:
    """Every metric of the backend's edge. docs/runbook/backend.md says what each means."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.flows = FlowMeter()
        requests = Counter(
            "tillway_device_requests", "Device requests", ["type", "outcome"], registry=registry
        )
        self._request = cache(requests.labels)  # A look-up by labels costs more than counting.
        self._batches = Counter(
            "tillway_hub_batches", "Batches of hubs by outcome", ["outcome"], registry=registry
        )
        self.batch_items = Histogram(
            "tillway_hub_batch_items", "Items in a batch", buckets=_SIZES, registry=registry
        )
        self.batch_seconds = Histogram(
            "tillway_hub_batch_seconds",
            "Batch received to answer sealed",
            buckets=_SECONDS,
            registry=registry,
        )
        self.batches_open = Gauge(
            "tillway_hub_batches_open", "Batches being worked on now", registry=registry
        )
        self.polls_open = Gauge(
            "tillway_hub_polls_open", "Hubs waiting for a push now", registry=registry
        )
        self.pushes = Counter("tillway_hub_pushes", "Pushes handed to hubs", registry=registry)
        self._errors = Counter(
            "tillway_http_errors", "HTTP answers that are errors", ["code"], registry=registry
        )
        self._enrolments = Counter(
            "tillway_enrolments", "Tries to enrol by outcome", ["outcome"], registry=registry
        )
        self._add_queues(registry)
        self._callback_tries = Counter(
            "tillway_callback_tries",
            "Tries to deliver a callback, by outcome",
            ["outcome"],
            registry=registry,
        )

        self.queue_linked = Gauge(
            "tillway_callback_queue_linked",
            "Whether the broker of callbacks is linked, where there is one",
            registry=registry,
        )
        stages = "tillway_risk_seconds", "Judging a payment, by stage", ["stage"]
        risk_seconds = Histogram(*stages, buckets=_RISK_SECONDS, registry=registry)
        self._risk_stage = cache(risk_seconds.labels)
        self._risk_troubles = Counter(
            "tillway_risk_troubles",
            "Payments that were judged without a part of the risk engine",
            ["trouble"],
            registry=registry,
        )

    def _add_queues(self, registry: CollectorRegistry) -> None:
        """What waits: callbacks for their merchants, breaks for the other side or a person."""
        self._callbacks = Gauge(
            "tillway_callbacks", "Callbacks not delivered", ["state"], registry=registry
        )
        self._callbacks_oldest = Gauge(
            "tillway_callbacks_oldest_seconds",
            "Age of the oldest callback that may still be delivered",
            registry=registry,
        )
        self._callbacks_overdue = Gauge(
            "tillway_callbacks_overdue_seconds",
            "How long the next try of a callback is overdue",
            registry=registry,
        )
        self._breaks = Gauge(
            "tillway_breaks", "Breaks of the reconciliation that are open", ["state"],
            registry=registry,
        )  # fmt: skip
        self._breaks_oldest = Gauge(
            "tillway_breaks_oldest_seconds", "Age of the oldest break that is open",
            registry=registry,
        )  # fmt: skip

    def risk_took(self, stage: str, nanoseconds: int) -> None:
        """How long a stage of judging took."""
        self._risk_stage(stage).observe(nanoseconds / 1e9)

    def risk_trouble(self, trouble: str) -> None:
        """A payment was judged without a part of the risk engine."""
        self._risk_troubles.labels(trouble).inc()
        _log.error("risk_trouble", trouble=trouble)

    def count_request(self, message_type: str, outcome: str) -> None:
        """One device request answered: ``outcome`` is ``done`` or an error code."""
        known = message_type if message_type in REQUESTS else "unknown"
        self._request(known, outcome).inc()

    def count_batch(self, outcome: str) -> None:
        """One batch: ``done`` or the error code that refused it whole."""
        self._batches.labels(outcome).inc()

    def count_error(self, code: str) -> None:
        """One HTTP request refused with this code."""
        self._errors.labels(code).inc()

    def count_enrolment(self, outcome: str) -> None:
        """One try to enrol: ``done`` or an error code."""
        self._enrolments.labels(outcome).inc()

    def count_callback(self, outcome: str) -> None:
        """One try to deliver a callback: ``delivered``, ``failed``, or ``dead`` if it was the
        last."""
        self._callback_tries.labels(outcome).inc()

    def show_callbacks(self, counts: Mapping[str, int], *, oldest_ms: int, overdue_ms: int) -> None:
        """How the outbox stands."""
        for state in CALLBACK_STATES:
            self._callbacks.labels(state).set(counts.get(state, 0))
        self._callbacks_oldest.set(oldest_ms // 1000)
        self._callbacks_overdue.set(max(overdue_ms, 0) // 1000)

    def show_breaks(self, counts: Mapping[str, int], *, oldest_ms: int) -> None:
        """How the queue of breaks stands."""
        for state in BREAK_STATES:
            self._breaks.labels(state).set(counts.get(state, 0))
        self._breaks_oldest.set(oldest_ms // 1000)

    def render(self) -> bytes:
        """The text form for a scraper."""
        return generate_latest(self.registry)
