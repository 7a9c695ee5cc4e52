"""What merchants' programs ask of transfers, as async calls."""

from typing import Any

from backend.db.tables import Row
from backend.merchant_api.callbacks.form import FORM
from backend.merchant_api.faults import (
    APPID_MCHID_NOT_MATCH,
    INVALID_REQUEST,
    RESOURCE_NOT_EXISTS,
    ApiError,
    wrong_field,
)
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.keys.fields import opened
from backend.merchant_api.keys.ring import KeyRing
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.orders.engine import content_hash
from backend.merchant_api.transfers.model import accepted, given_up, transfer_shown
from backend.merchant_api.transfers.repository import ApiTransferRepository, Found
from backend.merchant_api.transfers.schemas import NewTransfer
from backend.merchant_api.transfers.service import TransferByProgram
from backend.merchant_transfers.limits import NAMED_FROM_MINOR
from backend.merchant_transfers.model import TransferStep
from backend.merchant_transfers.service import EndTransfer, MakeTransfer
from backend.payments.services import Services
from protocol import ids
from protocol.errors import CallerError

_NAME = "/user_name"


class TransferDesk:
    """Serves merchants' programs. One per process."""

    def __init__(self, services: Services, ring: KeyRing, sandbox: Sandbox) -> None:
        self._services = services
        self._ring = ring
        self._sandbox = sandbox
        self._transfers = ApiTransferRepository(services.reader)

    async def make(self, account: Account, wanted: NewTransfer, serial: str) -> dict[str, str]:
        """The transfer, the same for the same again. ``serial`` names the key of the encrypted
        name. What is compared is the name, because an encrypted text is another at each try."""
        if wanted.appid != account.appid:
            raise ApiError(APPID_MCHID_NOT_MATCH)
        name = ""
        if wanted.user_name is not None:
            name = await opened(self._ring, account.suite, serial, wanted.user_name, _NAME)
        elif wanted.transfer_amount >= NAMED_FROM_MINOR:
            raise wrong_field(_NAME, "转账金额达到 2,000 元须填写收款用户姓名")
        plain = wanted.model_copy(update={"user_name": name})
        command = TransferByProgram(
            make=self._make(account, wanted, name),
            mchid=account.mchid,
            out_bill_no=wanted.out_bill_no,
            appid=wanted.appid,
            openid=wanted.openid,
            scene_id=wanted.transfer_scene_id,
            content_hash=content_hash(plain, "TRANSFER"),
        )
        async with self._sandbox.at(
            wanted.transfer_amount, mchid=account.mchid, number=wanted.out_bill_no
        ):
            said, transfer = await self._services.submit(command)
        return accepted(said, transfer)

    async def cancel(self, account: Account, out_bill_no: str) -> dict[str, str]:
        """Give a transfer up that its receiver has not taken."""
        said, _ = await self._of_number(account, out_bill_no)
        command = EndTransfer(
            transfer_id=said["transfer_id"],
            step=TransferStep.CANCEL,
            by=account.merchant_id,
            rules=self._services.rules,
        )
        try:
            transfer: Row = await self._services.submit(command)
        except CallerError as error:
            if error.code != "merchant_transfer_over":
                raise
            raise ApiError(INVALID_REQUEST, "转账单已结束，不能撤销") from None
        return given_up(said, transfer)

    async def by_number(self, account: Account, out_bill_no: str) -> dict[str, Any]:
        """How a transfer stands, by the merchant's number."""
        return transfer_shown(*await self._of_number(account, out_bill_no))

    async def by_bill(self, account: Account, number: str) -> dict[str, Any]:
        """A transfer by the platform's number."""
        found: Found | None = await self._services.run_read(
            lambda: self._transfers.of_bill(account.mchid, number)
        )
        return transfer_shown(*_existing(found))

    async def _of_number(self, account: Account, out_bill_no: str) -> Found:
        found: Found | None = await self._services.run_read(
            lambda: self._transfers.of_number(account.mchid, out_bill_no)
        )
        return _existing(found)

    def _make(self, account: Account, wanted: NewTransfer, name: str) -> MakeTransfer:
        return MakeTransfer(
            transfer_id=ids.mint(
                ids.MERCHANT_TRANSFER,
                time_ms=self._services.clock.now_ms(),
                random_bytes=self._services.entropy.token_bytes(ids.RANDOM_BYTES),
            ),
            merchant_id=account.merchant_id,
            receiver_id="",
            receiver_name=name,
            amount_minor=wanted.transfer_amount,
            currency="CNY",
            remark=wanted.transfer_remark,
            notify_url=wanted.notify_url,
            notify_form=FORM if wanted.notify_url else "",
            rules=self._services.rules,
        )


def _existing(found: Found | None) -> Found:
    if found is None:
        raise ApiError(RESOURCE_NOT_EXISTS, "转账单不存在")
    return found
