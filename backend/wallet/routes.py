"""HTTP of the payer's side. Errors are the catalogue's; the application turns them into answers."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from backend.coupons.routes import add_wallet_routes as add_coupon_routes
from backend.db.tables import Row
from backend.guard import Guard
from backend.instruments.routes import add_routes as add_instrument_routes
from backend.mandates.routes import add_wallet_routes
from backend.offline.routes import add_wallet_routes as add_offline_routes
from backend.passkeys.routes import add_wallet_routes as add_passkey_routes
from backend.payments.services import Services
from backend.red_packets.routes import add_wallet_routes as add_red_packet_routes
from backend.risk.lists.service import SetBlock
from backend.wallet.desk import WalletDesk, said_of
from backend.wallet.limits import BILLS_PER_PAGE_MAX, TOKEN_CHARS_MAX
from backend.wallet.schemas import (
    Block,
    Confirmation,
    NewPayer,
    PayerStatus,
    PinChange,
    PinFreeLimit,
    Refused,
    Scanned,
    Switched,
)
from backend.wallet.service import SetPayerStatus
from backend.wallet.switches import Switch
from backend.withdrawals.routes import add_wallet_routes as add_withdrawal_routes
from protocol.errors import CallerError
from protocol.messages.base import CurrencyText

_SCHEME = "bearer "


def router(services: Services) -> APIRouter:
    """``/wallet/v1``: each call by a payer's bearer token."""
    desk = WalletDesk(services)
    routes = APIRouter(prefix="/wallet/v1", tags=["wallet"])

    async def payer_of(request: Request) -> str:
        return await desk.authenticate(bearer_token(request))

    payer = Annotated[str, Depends(payer_of)]

    @routes.get("/balance")
    async def balance(payer_id: payer, currency: str = "CNY") -> dict[str, Any]:
        return await desk.balance(payer_id, currency)

    @routes.post("/pay-code")
    async def pay_code(payer_id: payer) -> dict[str, Any]:
        return await desk.pay_code(payer_id)

    @routes.post("/scan")
    async def scan(payer_id: payer, body: Scanned) -> dict[str, Any]:
        return await desk.scan(payer_id, body.content)

    @routes.post("/confirm")
    async def confirm(payer_id: payer, body: Confirmation) -> dict[str, Any]:
        return await desk.confirm(payer_id, body)

    @routes.get("/asked")
    async def asked(payer_id: payer) -> dict[str, Any]:
        return {"asked": await desk.asked(payer_id)}

    @routes.post("/refuse")
    async def refuse(payer_id: payer, body: Refused) -> dict[str, Any]:
        return await desk.refuse(payer_id=payer_id, payment_id=body.payment_id)

    @routes.get("/bills")
    async def bills(
        payer_id: payer,
        from_ms: Annotated[int, Query(ge=0)] = 0,
        before_ms: Annotated[int | None, Query(ge=0)] = None,
        limit: Annotated[int, Query(ge=1, le=BILLS_PER_PAGE_MAX)] = 20,
    ) -> dict[str, Any]:
        rows = await desk.bills(payer_id, from_ms=from_ms, before_ms=before_ms, limit=limit)
        return {"bills": [_bill(row) for row in rows]}

    @routes.get("/latest")
    async def latest(payer_id: payer) -> dict[str, Any]:
        """The payment that has ended latest; an ``error_code`` says why it was declined."""
        row = await desk.latest(payer_id)
        return {"latest": row and _bill(row) | {"error_code": row["error_code"]}}

    _add_pin(routes, desk, payer)
    _add_rooms(routes, services, payer, desk)
    if desk.switches.is_there:
        _add_switches(routes, desk, payer)
    return routes


def _add_pin(routes: APIRouter, desk: WalletDesk, payer: Any) -> None:  # noqa: ANN401  # an annotation
    @routes.get("/pin-free")
    async def pin_free(payer_id: payer, currency: CurrencyText = "CNY") -> dict[str, Any]:
        return await desk.pin_free(payer_id, currency)

    @routes.post("/pin-free")
    async def choose_pin_free(payer_id: payer, body: PinFreeLimit) -> dict[str, Any]:
        return await desk.choose_pin_free(payer_id, body)

    @routes.post("/pin")
    async def change_pin(payer_id: payer, body: PinChange) -> dict[str, Any]:
        await desk.change_pin(payer_id, body)
        return {"payer_id": payer_id}


def _add_rooms(
    routes: APIRouter,
    services: Services,
    payer: Any,  # noqa: ANN401  # an annotation
    desk: WalletDesk,
) -> None:
    """What other rooms offer to a payer."""
    add_wallet_routes(routes, services, payer)
    add_instrument_routes(routes, services, payer)
    add_coupon_routes(routes, services, payer)
    add_red_packet_routes(routes, services, payer, desk.check_word)
    add_offline_routes(routes, services, payer, desk.check_word)
    add_passkey_routes(routes, desk.passkeys, payer, desk.offer_passkey)
    add_withdrawal_routes(routes, services, payer, desk.check_word)


def _add_switches(routes: APIRouter, desk: WalletDesk, payer: Any) -> None:  # noqa: ANN401  # an annotation
    def shown(turned_on: frozenset[Switch]) -> dict[str, Any]:
        return {"switches": {switch.value: switch in turned_on for switch in Switch}}

    @routes.get("/switches")
    async def switches(payer_id: payer) -> dict[str, Any]:
        return shown(await desk.switches.of_payer(payer_id))

    @routes.post("/switches")
    async def turn(payer_id: payer, body: Switched) -> dict[str, Any]:
        return shown(await desk.switches.turn(payer_id, body.switch, is_on=body.is_on))


def bearer_token(request: Request) -> str:
    """The token that a wallet's call carries; ``not_authorized`` without one."""
    header = request.headers.get("authorization", "")
    token = header[len(_SCHEME) :].strip()
    if header[: len(_SCHEME)].lower() != _SCHEME or not 0 < len(token) <= TOKEN_CHARS_MAX:
        raise CallerError("not_authorized")
    return token


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """``/operator/v1/payers``: payers are made and stopped by operators only."""
    desk = WalletDesk(services)
    routes = APIRouter(
        prefix="/operator/v1/payers", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.post("", status_code=201)
    async def create_payer(body: NewPayer) -> dict[str, Any]:
        return await desk.create_payer(
            payer_id=body.payer_id,
            name=body.name,
            pin=body.pin.get_secret_value(),
            key_suite=body.key_suite,
            key_public=bytes.fromhex(body.key_public),
        )

    @routes.post("/{payer_id}/tokens", status_code=201)
    async def issue_token(payer_id: str) -> dict[str, Any]:
        return await desk.issue_token(payer_id)

    @routes.post("/{payer_id}/status")
    async def set_status(payer_id: str, body: PayerStatus) -> dict[str, Any]:
        command = SetPayerStatus(payer_id=payer_id, is_frozen=body.status == "frozen")
        return {"payer_id": payer_id, "status": await services.submit(command)}

    @routes.post("/{payer_id}/block")
    async def block(payer_id: str, body: Block) -> dict[str, Any]:
        command = SetBlock(
            payer_id=payer_id, is_on=body.is_on, reason=body.reason, until_ms=body.until_ms
        )
        return {"payer_id": payer_id, "is_on": await services.submit(command)}

    return routes


def _bill(row: Row) -> dict[str, Any]:
    names = ("payment_id", "merchant_id", "merchant_name", "state", "amount_minor", "coupon_minor",
             "refunded_minor", "currency", "method", "description", "paid_at_ms")  # fmt: skip
    return {name: row[name] for name in names} | {"explanation": said_of(row)}
