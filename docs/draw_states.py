"""Draw the state tables into ``docs/states.md``. Run as a script; ``--check`` only compares.

The tables in the code are the truth; the pictures are made from them and never by hand.
"""

import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from backend.clearing.model import TRANSITIONS as PAYOUT_TRANSITIONS
from backend.clearing.window import TRANSITIONS as WINDOW_TRANSITIONS
from backend.coupons.model import TRANSITIONS as COUPON_TRANSITIONS
from backend.coupons.stocks.model import TRANSITIONS as STOCK_TRANSITIONS
from backend.disputes.model import TRANSITIONS as DISPUTE_TRANSITIONS
from backend.mandates.model import NOTICE_TRANSITIONS
from backend.mandates.model import TRANSITIONS as MANDATE_TRANSITIONS
from backend.merchant_api.payscore.model import TRANSITIONS as SERVICE_TRANSITIONS
from backend.notify.states import TRANSITIONS as CALLBACK_TRANSITIONS
from backend.offline.model import TRANSITIONS as VOUCHER_TRANSITIONS
from backend.reconciliation.breaks import FIRST as BREAK_FIRST
from backend.reconciliation.breaks import TRANSITIONS as BREAK_TRANSITIONS
from backend.red_packets.model import TRANSITIONS as RED_PACKET_TRANSITIONS
from backend.refunds.model import TRANSITIONS as REFUND_TRANSITIONS
from backend.risk.aml.reports.model import TRANSITIONS as REPORT_TRANSITIONS
from backend.risk.cases.model import TRANSITIONS as CASE_TRANSITIONS
from backend.risk.models.lifecycle import TRANSITIONS as MODEL_TRANSITIONS
from backend.risk.rules.lifecycle import TRANSITIONS as RULES_TRANSITIONS
from backend.rollouts.model import TRANSITIONS as ROLLOUT_TRANSITIONS
from backend.routing.health import TRANSITIONS as HEALTH_TRANSITIONS
from backend.sagas.model import TRANSITIONS as SAGA_TRANSITIONS
from backend.topups.model import TRANSITIONS as TOPUP_TRANSITIONS
from backend.withdrawals.model import TRANSITIONS as WITHDRAWAL_TRANSITIONS
from hub.ocpp.model import TRANSITIONS as CHARGE_TRANSITIONS
from protocol.payment import TRANSITIONS
from terminal.domain.card_sale import TRANSITIONS as CARD_TRANSITIONS
from terminal.domain.delivery import TRANSITIONS as DELIVERY_TRANSITIONS
from terminal.domain.firmware import TRANSITIONS as FIRMWARE_TRANSITIONS
from terminal.domain.pin import TRANSITIONS as PIN_TRANSITIONS
from terminal.domain.sale import TRANSITIONS as SALE_TRANSITIONS
from terminal.domain.settings import TRANSITIONS as SETTINGS_TRANSITIONS

PAGE = Path(__file__).with_name("states.md")


def diagram(title: str, source: str, edges: Iterable[tuple[str, str, str]]) -> str:
    """One Mermaid state diagram: an arrow a (state, state, label)."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for origin, target, label in edges:
        grouped.setdefault((origin, target), []).append(label)
    arrows = [
        f"    {origin} --> {target}: {', '.join(labels)}"
        for (origin, target), labels in grouped.items()
    ]
    body = "\n".join(arrows)
    return f"## {title}\n\nFrom `{source}`.\n\n```mermaid\nstateDiagram-v2\n{body}\n```\n"


def _edges(table: Mapping[tuple[StrEnum, StrEnum], StrEnum]) -> list[tuple[str, str, str]]:
    return [(origin.value, target.value, step.value) for (origin, step), target in table.items()]


def page() -> str:
    """The whole page, as it must stand in the repository."""
    payment = [
        (origin.value, edge.state.value, command.value)
        for (origin, command), edge in TRANSITIONS.items()
    ]
    sale = [
        (origin.value, edge.state.value, step.value)
        for (origin, step), edge in SALE_TRANSITIONS.items()
    ]
    goods = [
        (origin.value, edge.state.value, step.value)
        for (origin, step), edge in DELIVERY_TRANSITIONS.items()
    ]
    card = [
        (origin.value, edge.state.value, step.value)
        for (origin, step), edge in CARD_TRANSITIONS.items()
    ]
    rollout = [
        (origin.value, edge.state.value, step.value)
        for (origin, step), edge in ROLLOUT_TRANSITIONS.items()
    ]
    firmware = [
        (origin.value, edge.state.value, step.value)
        for (origin, step), edge in FIRMWARE_TRANSITIONS.items()
    ]
    settings = [
        (origin.value, edge.state.value, step.value)
        for (origin, step), edge in SETTINGS_TRANSITIONS.items()
    ]
    charge = [
        (origin.value, edge.state.value, step.value)
        for (origin, step), edge in CHARGE_TRANSITIONS.items()
    ]
    callback = [
        (origin.value, target.value, step.value)
        for (origin, step), target in CALLBACK_TRANSITIONS.items()
    ]
    mandate = [
        (origin.value, edge.status.value, f"{side.value} {command.value}")
        for (origin, side, command), edge in MANDATE_TRANSITIONS.items()
        if edge.event is not None
    ]
    dispute = [
        (origin.value, edge.state.value, command.value)
        for (origin, command), edge in DISPUTE_TRANSITIONS.items()
    ]
    case = [
        (origin.value, edge.state.value, command.value)
        for (origin, command), edge in CASE_TRANSITIONS.items()
    ]
    model = [
        (origin.value, edge.state.value, command.value)
        for (origin, command), edge in MODEL_TRANSITIONS.items()
    ]
    rules = [
        (origin.value, edge.state.value, command.value)
        for (origin, command), edge in RULES_TRANSITIONS.items()
    ]
    report = [
        (origin.value, edge.state.value, command.value)
        for (origin, command), edge in REPORT_TRANSITIONS.items()
    ]
    coupon = [
        (origin.value, edge.state.value, command.value)
        for (origin, command), edge in COUPON_TRANSITIONS.items()
    ]
    service = [
        (origin.value, target.value, command.value)
        for (origin, command), target in SERVICE_TRANSITIONS.items()
    ]
    notice = [
        (origin.value, target.value, command.value)
        for (origin, command), target in NOTICE_TRANSITIONS.items()
    ]
    saga = [
        (origin.value, edge.state.value, step.value)
        for (origin, step), edge in SAGA_TRANSITIONS.items()
    ]
    window = [
        (origin.value, target.value, step.value)
        for (origin, step), target in WINDOW_TRANSITIONS.items()
    ]
    found_break = [
        *(("[*]", edge.state.value, step.value) for step, edge in BREAK_FIRST.items()),
        *(
            (origin.value, edge.state.value, step.value)
            for (origin, step), edge in BREAK_TRANSITIONS.items()
        ),
    ]
    refund = [
        (origin.value, target.value, step.value)
        for (origin, step), target in REFUND_TRANSITIONS.items()
    ]
    pin = [
        (origin.value, edge.state.value, step.value)
        for (origin, step), edge in PIN_TRANSITIONS.items()
    ]
    health = [
        (origin.value, target.value, step.value)
        for (origin, step), target in HEALTH_TRANSITIONS.items()
    ]
    topup = _edges(TOPUP_TRANSITIONS)
    withdrawal = _edges(WITHDRAWAL_TRANSITIONS)
    payout = _edges(PAYOUT_TRANSITIONS)
    red_packet = _edges(RED_PACKET_TRANSITIONS)
    stock = _edges(STOCK_TRANSITIONS)
    parts = [
        "# State machines\n\nDrawn from the code by `docs/draw_states.py`; do not edit by hand.\n",
        diagram("Payment", "protocol/payment.py", payment),
        diagram("Mandate", "backend/mandates/model.py", mandate),
        diagram("Notice of a debit under a mandate", "backend/mandates/model.py", notice),
        diagram("Service order", "backend/merchant_api/payscore/model.py", service),
        diagram("Dispute", "backend/disputes/model.py", dispute),
        diagram("Case of the risk engine", "backend/risk/cases/model.py", case),
        diagram("Suspicious-transaction report", "backend/risk/aml/reports/model.py", report),
        diagram("Model of the risk engine", "backend/risk/models/lifecycle.py", model),
        diagram("Set of rules of the risk engine", "backend/risk/rules/lifecycle.py", rules),
        diagram("Coupon", "backend/coupons/model.py", coupon),
        diagram("Stock of coupons", "backend/coupons/stocks/model.py", stock),
        diagram("Red packet", "backend/red_packets/model.py", red_packet),
        diagram("Offline voucher", "backend/offline/model.py", _edges(VOUCHER_TRANSITIONS)),
        diagram("Conversation with a channel", "backend/sagas/model.py", saga),
        diagram("A channel's circuit breaker", "backend/routing/health.py", health),
        diagram("Refund", "backend/refunds/model.py", refund),
        diagram("Clearing window of a channel's day", "backend/clearing/window.py", window),
        diagram("Payout to a merchant, or move of own money", "backend/clearing/model.py", payout),
        diagram("Break of a reconciliation", "backend/reconciliation/breaks.py", found_break),
        diagram("Top-up", "backend/topups/model.py", topup),
        diagram("Withdrawal", "backend/withdrawals/model.py", withdrawal),
        diagram("Sale, as the till sees it", "terminal/domain/sale.py", sale),
        diagram("Card sale at the PIN pad", "terminal/domain/card_sale.py", card),
        diagram("A staff member's PIN", "terminal/domain/pin.py", pin),
        diagram("Goods of a vending machine", "terminal/domain/delivery.py", goods),
        diagram("Rollout to many devices", "backend/rollouts/model.py", rollout),
        diagram("Firmware of a terminal's board", "terminal/domain/firmware.py", firmware),
        diagram("Settings of a terminal", "terminal/domain/settings.py", settings),
        diagram("Charge of a car", "hub/ocpp/model.py", charge),
        diagram("Callback to a merchant", "backend/notify/states.py", callback),
    ]
    return "\n".join(parts)


def main() -> int:
    """Write the page, or with ``--check`` say whether it is up to date."""
    if "--check" in sys.argv:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
