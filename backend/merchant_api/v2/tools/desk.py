"""The tools, as async calls."""

from backend.merchant_api.codepay.desk import declined
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.orders.engine import Engine, guard_of
from backend.merchant_api.payers.service import TellByCode
from backend.merchant_api.v2.codepay.desk import checked_code
from backend.merchant_api.v2.faults import NO_SANDBOX, V2Error
from backend.merchant_api.v2.gate import Said
from backend.merchant_api.v2.tools.schemas import CodeToOpenId, SignKey
from backend.payments.services import Services


class ToolDesk:
    """Serves merchants' programs. One per process."""

    def __init__(
        self, services: Services, engine: Engine, sandbox: Sandbox, openid_key: bytes
    ) -> None:
        self._services = services
        self._engine = engine
        self._sandbox = sandbox
        self._openid_key = openid_key

    async def openid(self, account: Account, wanted: CodeToOpenId) -> Said:
        """The name of the payer who shows a code, without using the code up."""
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        command = TellByCode(
            found=self._engine.find(checked_code(wanted.auth_code)),
            guard=guard_of(account),
            merchant_id=account.merchant_id,
            appid=account.appid,
            openid_key=self._openid_key,
        )
        name, refusal = await self._services.submit(command)
        if refusal is not None:
            raise declined(refusal)
        return {"openid": name}

    async def sign_key(self, account: Account, _wanted: SignKey) -> Said:
        """The APIv2 key of the caller in the sandbox."""
        if not self._sandbox.is_on:
            raise V2Error(NO_SANDBOX)
        return {"sandbox_signkey": account.sandboxed().api_v2_key}
