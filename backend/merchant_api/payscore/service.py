"""The service orders' commands.

Rule 1: the payer's agreement is a signature over the risk fund, in the transaction that makes its
        mandate; nothing else can be debited under it than this order, once.
Rule 2: a completion stands whether or not its debit succeeds: what is owed is collected later.
Rule 3: a second try begins only when the one before has certainly taken nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.mandates.model import MandateCommand, MandateStatus, Side
from backend.mandates.service import ChangeMandate, CreateMandate
from backend.mandates.signing import Signed, text_of
from backend.mandates.tables import MANDATE
from backend.merchant_api.faults import (
    INVALID_REQUEST,
    NO_AUTH,
    ORDER_PAID,
    RE_ENTRY,
    ApiError,
    wrong_field,
)
from backend.merchant_api.keys.tables import ACCOUNT
from backend.merchant_api.limits import SERVICE_LIFE_MS, SERVICE_PROPOSAL_LIFE_MS
from backend.merchant_api.orders.service import CreateOrder
from backend.merchant_api.papay.tables import CONTRACT, PLAN
from backend.merchant_api.payscore.model import (
    ServiceCommand,
    ServiceState,
    is_open,
    next_state,
    service_text,
)
from backend.merchant_api.payscore.tables import OUT_ORDER_NO, SERVICE_ORDER
from backend.payments.tables import PAYMENT
from protocol import cbor
from protocol.errors import CallerError
from protocol.payment import PAID_STATES, PaymentState

FORM = "v3.payscore"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateService:
    """A merchant's program asks a payer to agree to a service. Answers its row, the same for the
    same again."""

    row: Mapping[str, Any]
    """With a fresh id, which goes unused if the number is known."""
    permission_id: str | None = None
    """The payer's permission under which it begins at once; None: the payer is asked."""

    def reads(self) -> Iterable[Read]:
        permitted: list[Read] = []
        if self.permission_id is not None:
            permitted = [(CONTRACT, self.permission_id), (MANDATE, self.permission_id)]
        return [(OUT_ORDER_NO, self._key), (PLAN, self.row["service_id"]), *permitted]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        known = ws.get(OUT_ORDER_NO, self._key)
        return [(SERVICE_ORDER, known["order_id"])] if known else []

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(OUT_ORDER_NO, self._key)
        if known is not None:
            order = service_order(ws, known["order_id"])
            if order["content_hash"] != self.row["content_hash"]:
                raise ApiError(RE_ENTRY)
            return order
        plan = ws.get(PLAN, self.row["service_id"])
        if plan is None or plan["mchid"] != self.row["mchid"]:
            raise wrong_field("/service_id", "服务不存在")
        if self.row["risk_minor"] > plan["limit_payment_minor"]:
            raise wrong_field("/risk_fund/amount", "超过服务的风险金上限")
        mchid, number = self._key
        order_id = self.row["order_id"]
        ws.insert(OUT_ORDER_NO, {"mchid": mchid, "out_order_no": number, "order_id": order_id})
        ws.insert(
            SERVICE_ORDER,
            {
                **self.row,
                "mandate_id": self.permission_id or order_id,
                "state": ServiceState.CREATED.value,
                "expires_at_ms": now_ms + SERVICE_PROPOSAL_LIFE_MS,
                "valid_until_ms": now_ms + SERVICE_LIFE_MS,
                "created_at_ms": now_ms,
                "updated_at_ms": now_ms,
            },
        )
        order = service_order(ws, order_id)
        if self.permission_id is None:
            return order
        payer_id = self._permitting(ws, self.permission_id)
        return step(ws, order, ServiceCommand.CONFIRM, now_ms, payer_id=payer_id)

    def _permitting(self, ws: WorkingSet, permission_id: str) -> str:
        """Whose permission it is; ``NO_AUTH`` unless it stands."""
        contract, mandate = ws.get(CONTRACT, permission_id), ws.get(MANDATE, permission_id)
        if contract is None or mandate is None or mandate["status"] != MandateStatus.ACTIVE:
            raise ApiError(NO_AUTH, "用户未授权该服务")
        payer_id: str = contract["payer_id"]
        return payer_id

    @property
    def _key(self) -> tuple[str, str]:
        return self.row["mchid"], self.row["out_order_no"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmService:
    """The payer agrees by signing the order's text. The same again changes nothing."""

    order_id: str
    payer_id: str
    signed: Signed

    def reads(self) -> Iterable[Read]:
        return [(SERVICE_ORDER, self.order_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        order = ws.get(SERVICE_ORDER, self.order_id)
        if order is None:
            return []
        plan, account = (PLAN, order["service_id"]), (ACCOUNT, order["mchid"])
        return [plan, account, *self._mandate(order).reads()]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        order = ws.get(SERVICE_ORDER, self.order_id)
        is_asked = order is not None and order["mandate_id"] == self.order_id
        if order is None or not is_asked or order["payer_id"] not in {None, self.payer_id}:
            raise CallerError("mandate_not_found", self.order_id)
        if order["payer_id"] is None:
            if now_ms >= order["expires_at_ms"]:
                raise CallerError("contract_expired", self.order_id)
            step(ws, order, ServiceCommand.CONFIRM, now_ms, payer_id=self.payer_id)
        plan, account = ws.get(PLAN, order["service_id"]), ws.get(ACCOUNT, order["mchid"])
        assert plan is not None
        assert account is not None
        text = service_text(order, plan, payer_id=self.payer_id, merchant_id=account["merchant_id"])
        if text_of(self.signed) != cbor.encode(text.to_map()):
            raise CallerError("mandate_signature", "other terms")
        self._mandate(order).decide(ws, now_ms)

    def _mandate(self, order: Row) -> CreateMandate:
        return CreateMandate(
            payer_id=self.payer_id,
            signed=self.signed,
            notify_url=order["notify_url"],
            notify_form=FORM,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelService:
    """The merchant gives a service up before it is completed; the payer's agreement ends with it.
    Safe to repeat."""

    order_id: str
    merchant_id: str

    def reads(self) -> Iterable[Read]:
        return [(SERVICE_ORDER, self.order_id), *self._end.reads()]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        return self._end.follow(ws)

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        order = service_order(ws, self.order_id)
        if order["state"] == ServiceState.REVOKED:
            return
        step(ws, order, ServiceCommand.CANCEL, now_ms)
        if order["payer_id"] is not None:
            _end(ws, order, self.merchant_id, now_ms)

    @property
    def _end(self) -> ChangeMandate:
        return _ended(self.order_id, self.merchant_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteService:
    """The service is done: its cost is fixed, and debited. The same completion again changes
    nothing."""

    order_id: str
    merchant_id: str
    said: str
    total_minor: int
    content_hash: bytes
    debit: CreateOrder | None
    """None: nothing is to be paid."""

    def reads(self) -> Iterable[Read]:
        end = _ended(self.order_id, self.merchant_id)
        debit = self.debit.reads() if self.debit else ()
        return [(SERVICE_ORDER, self.order_id), *end.reads(), *debit]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        end = _ended(self.order_id, self.merchant_id)
        return [*end.follow(ws), *(self.debit.follow(ws) if self.debit else ())]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        order = service_order(ws, self.order_id)
        if order["completed_hash"]:
            if order["completed_hash"] != self.content_hash:
                raise ApiError(RE_ENTRY, "服务订单已完结，且参数与原请求不一致")
            return
        if self.total_minor > order["risk_minor"]:
            raise wrong_field("/total_amount", "总金额大于风险金额")
        order = step(
            ws,
            order,
            ServiceCommand.COMPLETE,
            now_ms,
            said=self.said,
            total_minor=self.total_minor,
            completed_hash=self.content_hash,
        )
        if self.debit is None:
            step(ws, order, ServiceCommand.SETTLE, now_ms)
            _end(ws, order, self.merchant_id, now_ms)
        else:
            _collect(ws, order, self.debit, self.merchant_id, now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectService:
    """Try once more to debit what is owed; with ``said`` and ``total_minor``, a lower sum."""

    order_id: str
    merchant_id: str
    debit: CreateOrder
    """Of what is owed now."""
    command: ServiceCommand = ServiceCommand.PAY
    said: str | None = None

    def reads(self) -> Iterable[Read]:
        end = _ended(self.order_id, self.merchant_id)
        return [(SERVICE_ORDER, self.order_id), *end.reads(), *self.debit.reads()]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        end = _ended(self.order_id, self.merchant_id)
        return [*end.follow(ws), *self.debit.follow(ws), *_last_try(ws, self.order_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        order = service_order(ws, self.order_id)
        check_unpaid(ws, order)
        total_minor = self.debit.create.body.amount_minor
        changes: dict[str, Any] = {}
        if self.command is ServiceCommand.MODIFY:
            if total_minor >= order["total_minor"]:
                raise wrong_field("/total_amount", "修改后的总金额须小于原总金额")
            changes = {"said": self.said, "total_minor": total_minor}
        elif total_minor != order["total_minor"]:
            raise ApiError(INVALID_REQUEST, "服务订单金额已修改，请重试")
        order = step(ws, order, self.command, now_ms, **changes)
        _collect(ws, order, self.debit, self.merchant_id, now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleService:
    """The merchant was paid by other means. The same again changes nothing."""

    order_id: str
    merchant_id: str
    paid_at: str

    def reads(self) -> Iterable[Read]:
        return [(SERVICE_ORDER, self.order_id), *_ended(self.order_id, self.merchant_id).reads()]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        end = _ended(self.order_id, self.merchant_id)
        return [*end.follow(ws), *_last_try(ws, self.order_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        order = service_order(ws, self.order_id)
        if order["paid_elsewhere_at"] == self.paid_at:
            return
        check_unpaid(ws, order)
        step(ws, order, ServiceCommand.SETTLE, now_ms, paid_elsewhere_at=self.paid_at)
        _end(ws, order, self.merchant_id, now_ms)


def step(
    ws: WorkingSet,
    order: Row,
    command: ServiceCommand,
    now_ms: int,
    **changes: Any,  # noqa: ANN401  # column values
) -> Row:
    """Take an edge of the service orders' table."""
    state = next_state(order["state"], command)
    return ws.update(
        SERVICE_ORDER, order["order_id"], state=state.value, updated_at_ms=now_ms, **changes
    )


def service_order(ws: WorkingSet, order_id: str) -> Row:
    """The row of an order that is known to be there."""
    found = ws.get(SERVICE_ORDER, order_id)
    assert found is not None, "service orders are never removed"
    return found


def check_unpaid(ws: WorkingSet, order: Row) -> None:
    """``ORDER_PAID`` or ``INVALID_REQUEST`` while a try has its money, or may have it."""
    if order["payment_id"] is None:
        return
    payment = ws.get(PAYMENT, order["payment_id"])
    assert payment is not None
    if PaymentState(payment["state"]) in PAID_STATES:
        raise ApiError(ORDER_PAID)
    if is_open(payment):
        raise ApiError(INVALID_REQUEST, "扣款处理中，请稍后查询")


def _collect(ws: WorkingSet, order: Row, debit: CreateOrder, merchant_id: str, now_ms: int) -> None:
    """Try once to debit. If the money is taken at once, the payer's agreement is used up."""
    _, payment = debit.decide(ws, now_ms)
    ws.update(
        SERVICE_ORDER,
        order["order_id"],
        payment_id=payment["payment_id"],
        try_count=order["try_count"] + 1,
    )
    if PaymentState(payment["state"]) in PAID_STATES:
        _end(ws, order, merchant_id, now_ms)


def _end(ws: WorkingSet, order: Row, merchant_id: str, now_ms: int) -> None:
    """The payer's agreement is used up; a permission stands for the next service."""
    if order["mandate_id"] == order["order_id"]:
        _ended(order["order_id"], merchant_id).decide(ws, now_ms)


def _last_try(ws: WorkingSet, order_id: str) -> list[Read]:
    order = ws.get(SERVICE_ORDER, order_id)
    last = order["payment_id"] if order else None
    return [(PAYMENT, last)] if last else []


def _ended(order_id: str, merchant_id: str) -> ChangeMandate:
    """The end of the payer's agreement, of which the order's own news tell."""
    return ChangeMandate(
        side=Side.MERCHANT,
        party_id=merchant_id,
        mandate_id=order_id,
        command=MandateCommand.TERMINATE,
        is_told=False,
    )
