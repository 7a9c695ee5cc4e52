"""Red packets, as merchants' programs give them to payers and ask about them."""

from backend.merchant_api.faults import NO_AUTH, ApiError
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.orders.engine import Engine, content_hash
from backend.merchant_api.v2.faults import MONEY_LIMIT, NOT_FOUND, OPENID_ERROR, V2Error
from backend.merchant_api.v2.gate import Said
from backend.merchant_api.v2.red_packets.model import gift_fields
from backend.merchant_api.v2.red_packets.repository import GiftRepository, Given
from backend.merchant_api.v2.red_packets.schemas import RedPackQuery, SendRedPack
from backend.merchant_api.v2.red_packets.service import GiveByProgram
from backend.payments.services import Services
from backend.red_packets.giving import GiveRedPacket
from backend.red_packets.model import check_gift
from protocol import ids
from protocol.errors import CallerError

_CURRENCY = "CNY"


class RedPackDesk:
    """Serves merchants' programs. One per process."""

    def __init__(self, services: Services, engine: Engine, sandbox: Sandbox) -> None:
        self._services = services
        self._engine = engine
        self._sandbox = sandbox
        self._gifts = GiftRepository(services.reader)

    async def send(self, account: Account, wanted: SendRedPack) -> Said:
        """Give a packet; the same for the same number again."""
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.wxappid)
        if account.sub_mchid:  # who sells for a merchant does not give its money away
            raise ApiError(NO_AUTH, "服务商不能代特约商户发放红包")
        try:
            check_gift(wanted.total_amount)
        except CallerError:
            raise V2Error(MONEY_LIMIT) from None
        receiver_id = await self._services.run_read(
            lambda: self._gifts.payer_of(wanted.re_openid, account.appid)
        )
        if receiver_id is None:
            raise V2Error(OPENID_ERROR)
        command = GiveByProgram(
            give=self._packet(account, wanted, receiver_id),
            mchid=account.mchid,
            mch_billno=wanted.mch_billno,
            openid=wanted.re_openid,
            act_name=wanted.act_name,
            remark=wanted.remark,
            content_hash=content_hash(wanted, "REDPACK"),
        )
        async with self._sandbox.at(
            wanted.total_amount, mchid=account.mchid, number=wanted.mch_billno
        ):
            said = await self._services.submit(command)
        return {
            "mch_billno": wanted.mch_billno,
            "re_openid": wanted.re_openid,
            "total_amount": wanted.total_amount,
            "send_listid": said["number"],
        }

    async def query(self, account: Account, wanted: RedPackQuery) -> Said:
        """How a packet stands."""
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        found: Given | None = await self._services.run_read(
            lambda: self._gifts.of_number(account.mchid, wanted.mch_billno)
        )
        if found is None:
            raise V2Error(NOT_FOUND)
        now_ms = self._services.clock.now_ms()
        return gift_fields(found.said, found.packet, found.claim, now_ms=now_ms)

    def _packet(self, account: Account, wanted: SendRedPack, receiver_id: str) -> GiveRedPacket:
        random_bytes = self._services.entropy.token_bytes(ids.RANDOM_BYTES)
        now_ms = self._services.clock.now_ms()
        return GiveRedPacket(
            red_packet_id=ids.mint(ids.RED_PACKET, time_ms=now_ms, random_bytes=random_bytes),
            merchant_id=account.merchant_id,
            receiver_id=receiver_id,
            amount_minor=wanted.total_amount,
            currency=_CURRENCY,
            sender_name=wanted.send_name,
            wish=wanted.wishing,
            rules=self._services.rules,
        )
