"""Looking up what is linked to a case's subject.

Rule 1: every look-up is by an index and bounded in rows and in time: a till that has taken payments
        for years answers as fast as a new one.
"""

from collections.abc import Collection
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, and_, false, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.devices.tables import Device, DeviceEvent, Store
from backend.instruments.tables import Instrument
from backend.payments.tables import Payment, PaymentEvent
from backend.risk.cases.evidence import LINKED, Node, Surroundings, surroundings, timeline
from backend.risk.cases.limits import (
    EVENTS_PER_TIMELINE_MAX,
    EVIDENCE_DAYS_MAX,
    PAYMENTS_PER_LOOKUP_MAX,
)
from backend.risk.judging.tables import IS_REFUSED, RiskDecision
from backend.risk.labels.tables import RiskLabel
from protocol.clock import DAY_MS

_payment = Payment.__table__  # type: ignore[attr-defined]
_payment_event = PaymentEvent.__table__  # type: ignore[attr-defined]
_instrument = Instrument.__table__  # type: ignore[attr-defined]
_device = Device.__table__  # type: ignore[attr-defined]
_device_event = DeviceEvent.__table__  # type: ignore[attr-defined]
_store = Store.__table__  # type: ignore[attr-defined]
_decision = RiskDecision.__table__  # type: ignore[attr-defined]
_label = RiskLabel.__table__  # type: ignore[attr-defined]
_COLUMNS = ("payment_id", "merchant_id", "created_at_ms", *LINKED.values())


class EvidenceRepository:
    """Committed payments, cards and devices. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def start(self, case: Row) -> Node:
        """The node that a case's graph begins at: of a payment, its payer, or who tried to pay it
        last (or its device, for one that nobody has tried); of anything else, itself."""
        kind, subject_id = case["subject_kind"], case["subject_id"]
        if kind != "payment":
            return Node(kind, subject_id)
        paid = self._reader.one(select(_payment).where(_payment.c.payment_id == subject_id))
        if paid is None:
            return Node(kind, subject_id)
        payer_id = paid["payer_id"] or self._tried_by(subject_id)
        return Node("payer", payer_id) if payer_id else Node("device", paid["device"])

    def _tried_by(self, payment_id: str) -> str:
        latest = (
            select(_decision.c.payer_id)
            .where(_decision.c.payment_id == payment_id)
            .order_by(_decision.c.at_ms.desc(), _decision.c.number.desc())
        )
        row = self._reader.one(latest.limit(1))
        return row["payer_id"] if row else ""

    def look(self, node: Node, *, until_ms: int) -> Surroundings:
        """A node's links in the ``EVIDENCE_DAYS_MAX`` days before a moment."""
        payments = self.payments(node, until_ms=until_ms)
        return surroundings(
            node,
            payments,
            frauds=self._frauds([row["payment_id"] for row in payments], until_ms),
            is_cut=len(payments) >= PAYMENTS_PER_LOOKUP_MAX,
            kept=self._kept(node),
        )

    def payments(self, node: Node, *, until_ms: int) -> list[Row]:
        """A node's payments in those days, the latest first; of a payer also those that were
        refused. Nobody has paid what was declined: it is of who tried it."""
        begin_ms = until_ms - EVIDENCE_DAYS_MAX * DAY_MS
        made_ms = _payment.c.created_at_ms
        query = (
            select(*(_payment.c[name] for name in _COLUMNS))
            .where(made_ms > begin_ms, made_ms <= until_ms)
            .order_by(made_ms.desc(), _payment.c.payment_id.desc())
            .limit(PAYMENTS_PER_LOOKUP_MAX)
        )
        rows = self._reader.rows(query.where(self._of(node)))
        if node.kind == "payer" and (refused := self._refused(node.id, begin_ms, until_ms)):
            rows += self._reader.rows(
                query.where(_payment.c.payment_id.in_(refused), _payment.c.payer_id.is_(None))
            )
            rows.sort(key=itemgetter("created_at_ms", "payment_id"), reverse=True)
        return self._with_who_tried(rows[:PAYMENTS_PER_LOOKUP_MAX])

    def _refused(self, payer_id: str, begin_ms: int, until_ms: int) -> list[str]:
        """The payments that a payer tried and that the rules refused."""
        query = (
            select(_decision.c.payment_id)
            .where(_decision.c.payer_id == payer_id, IS_REFUSED)
            .where(_decision.c.at_ms > begin_ms, _decision.c.at_ms <= until_ms)
            .order_by(_decision.c.at_ms.desc())
        )
        rows = self._reader.rows(query.limit(PAYMENTS_PER_LOOKUP_MAX))
        return [row["payment_id"] for row in rows]

    def _with_who_tried(self, rows: list[Row]) -> list[Row]:
        """Of payments without a payer, who tried them last, and with which card."""
        unpaid = [row["payment_id"] for row in rows if row["payer_id"] is None]
        if not unpaid:
            return rows
        query = (
            select(_decision.c.payment_id, _decision.c.payer_id, _decision.c.card)
            .where(_decision.c.payment_id.in_(unpaid))
            .order_by(_decision.c.at_ms, _decision.c.number)
        )
        tried = {
            row["payment_id"]: {"payer_id": row["payer_id"], "instrument_id": row["card"]}
            for row in self._reader.rows(query)
        }
        return [row | tried.get(row["payment_id"], {}) for row in rows]

    def timeline(self, node: Node, case_events: list[Row], *, until_ms: int) -> dict[str, Any]:
        """What happened to a node's payments, to itself as a device, and to the case."""
        payments = [row["payment_id"] for row in self.payments(node, until_ms=until_ms)]
        return timeline(
            _items("payment", self._payment_events(payments, until_ms), "payment_id"),
            _items("device", self._device_events(node, until_ms), "tid", number="revision"),
            _items("case", case_events, "case_id"),
            _labels(self._label_rows(payments, until_ms)),
        )

    def _of(self, node: Node) -> ColumnElement[bool]:
        """Which payments are a node's, by an index: a device's among its merchant's, a card's
        among its payer's."""
        if node.kind == "device":
            joined = _device.join(_store, _store.c.store == _device.c.store)
            merchant = select(_store.c.merchant_id).select_from(joined)
            owner = merchant.where(_device.c.tid == node.id).scalar_subquery()
            return and_(_payment.c.merchant_id == owner, _payment.c.device == node.id)
        if node.kind == "card":
            holder = select(_instrument.c.payer_id)
            owner = holder.where(_instrument.c.instrument_id == node.id).scalar_subquery()
            return and_(_payment.c.payer_id == owner, _payment.c.instrument_id == node.id)
        columns = {"payer": "payer_id", "merchant": "merchant_id", "payment": "payment_id"}
        name = columns.get(node.kind)
        return false() if name is None else and_(_payment.c[name] == node.id)

    def _kept(self, node: Node) -> list[tuple[Node, int]]:
        """A payer's cards, or whose a card is, and since when."""
        key = {"payer": _instrument.c.payer_id, "card": _instrument.c.instrument_id}.get(node.kind)
        if key is None:
            return []
        rows = self._reader.rows(
            select(_instrument).where(key == node.id).limit(PAYMENTS_PER_LOOKUP_MAX)
        )
        other = {"payer": "card", "card": "payer"}[node.kind]
        return [(Node(other, row[LINKED[other]]), row["created_at_ms"]) for row in rows]

    def _frauds(self, payments: Collection[str], until_ms: int) -> list[str]:
        """The payments whose latest label says fraud."""
        latest = {row["payment_id"]: row for row in self._label_rows(payments, until_ms)}
        return [name for name, row in latest.items() if row["is_fraud"]]

    def _label_rows(self, payments: Collection[str], until_ms: int) -> list[Row]:
        query = select(_label).where(
            _label.c.payment_id.in_(payments), _label.c.available_at_ms <= until_ms
        )
        return self._reader.rows(query.order_by(_label.c.available_at_ms, _label.c.origin))

    def _payment_events(self, payments: Collection[str], until_ms: int) -> list[Row]:
        query = select(_payment_event).where(
            _payment_event.c.payment_id.in_(payments), _payment_event.c.at_ms <= until_ms
        )
        query = query.order_by(_payment_event.c.at_ms.desc(), _payment_event.c.payment_id)
        return self._reader.rows(query.limit(EVENTS_PER_TIMELINE_MAX + 1))

    def _device_events(self, node: Node, until_ms: int) -> list[Row]:
        if node.kind != "device":
            return []
        query = select(_device_event).where(
            _device_event.c.tid == node.id, _device_event.c.at_ms <= until_ms
        )
        query = query.order_by(_device_event.c.revision.desc())
        return self._reader.rows(query.limit(EVENTS_PER_TIMELINE_MAX + 1))


def _items(
    kind: str, rows: list[Row], subject: str, *, number: str = "number"
) -> list[dict[str, Any]]:
    return [
        {
            "at_ms": row["at_ms"],
            "kind": kind,
            "subject": row[subject],
            "number": row[number],
            "what": row["event"],
            "actor": row["actor"],
        }
        for row in rows
    ]


def _labels(rows: list[Row]) -> list[dict[str, Any]]:
    return [
        {
            "at_ms": row["available_at_ms"],
            "kind": "label",
            "subject": row["payment_id"],
            "number": 0,
            "what": "fraud" if row["is_fraud"] else "genuine",
            "actor": row["actor"] or row["origin"],
        }
        for row in rows
    ]
