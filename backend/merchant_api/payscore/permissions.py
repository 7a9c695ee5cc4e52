"""Permissions: a payer lets a merchant begin services without asking each time (payscore).

Rule: a permission is a contract (``papay``) whose plan is the service, in other words.
"""

from typing import Any

from backend.merchant_api.faults import RESOURCE_NOT_EXISTS, ApiError
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.papay.desk import ContractDesk
from backend.merchant_api.papay.model import PERMISSION_FORM, SIGNED
from backend.merchant_api.papay.schemas import NewContract
from backend.merchant_api.payscore.model import permission_shown
from backend.merchant_api.payscore.schemas import EndPermission, NewPermission


class PermissionDesk:
    """Serves merchants' programs. One per process."""

    def __init__(self, contracts: ContractDesk) -> None:
        self._contracts = contracts

    async def apply(self, account: Account, wanted: NewPermission) -> str:
        """What opens the permission in the payer's wallet."""
        newer = NewContract(
            sign_scene="SIGN_SCENE_APP",
            appid=wanted.appid,
            plan_id=int(wanted.service_id),
            out_contract_code=wanted.authorization_code,
            contract_display_account=wanted.authorization_code,
            contract_notify_url=wanted.notify_url,
        )
        contract = await self._contracts.propose(account, newer, PERMISSION_FORM)
        token: str = contract["contract_id"]
        return token

    async def by_code(self, account: Account, code: str, service_id: str) -> dict[str, Any]:
        """The permission of a merchant's code."""
        return permission_shown(await self._contracts.by_code(account, int(service_id), code))

    async def by_openid(self, account: Account, openid: str, service_id: str) -> dict[str, Any]:
        """The latest permission of a payer."""
        return permission_shown(await self._of_openid(account, openid, int(service_id)))

    async def end(self, account: Account, code: str, wanted: EndPermission) -> None:
        """The merchant gives a permission back. Safe to repeat."""
        await self._contracts.terminate(account, int(wanted.service_id), code, wanted.reason)

    async def end_of_openid(self, account: Account, openid: str, wanted: EndPermission) -> None:
        """The merchant gives a payer's permission back. Safe to repeat."""
        shown = await self._of_openid(account, openid, int(wanted.service_id))
        await self.end(account, shown["out_contract_code"], wanted)

    async def standing(self, account: Account, openid: str, service_id: int) -> str | None:
        """The id of a payer's permission that stands now, or None."""
        shown = await self._contracts.of_openid(account, openid, service_id, PERMISSION_FORM)
        stands = shown is not None and shown["contract_state"] == SIGNED
        return shown["contract_id"] if shown is not None and stands else None

    async def _of_openid(self, account: Account, openid: str, service_id: int) -> dict[str, Any]:
        shown = await self._contracts.of_openid(account, openid, service_id, PERMISSION_FORM)
        if shown is None:
            raise ApiError(RESOURCE_NOT_EXISTS, "授权记录不存在")
        return shown
