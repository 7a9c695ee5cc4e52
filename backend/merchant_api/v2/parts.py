"""API v2, put together."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter

from backend.merchant_api.bills.desk import MerchantBills
from backend.merchant_api.codepay.desk import CodePayDesk
from backend.merchant_api.keys.desk import AccountDesk
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.orders.desk import OrderDesk
from backend.merchant_api.orders.engine import Engine
from backend.merchant_api.papay.desk import ContractDesk
from backend.merchant_api.partners.desk import Appointments
from backend.merchant_api.refunds.desk import RefundDesk
from backend.merchant_api.v2.bills.desk import V2BillDesk
from backend.merchant_api.v2.bills.schemas import DownloadBill, DownloadFundFlow
from backend.merchant_api.v2.codepay.desk import V2CodePayDesk
from backend.merchant_api.v2.codepay.schemas import MicroPay
from backend.merchant_api.v2.gate import V2Gate
from backend.merchant_api.v2.notices import FORMS, V2Form
from backend.merchant_api.v2.orders.desk import V2OrderDesk
from backend.merchant_api.v2.orders.schemas import ClosedOrder, OneOrder, UnifiedOrder
from backend.merchant_api.v2.papay.desk import V2ContractDesk
from backend.merchant_api.v2.papay.schemas import EndedContract, Entrust, OneContract, PapPayApply
from backend.merchant_api.v2.red_packets.desk import RedPackDesk
from backend.merchant_api.v2.red_packets.schemas import RedPackQuery, SendRedPack
from backend.merchant_api.v2.refunds.desk import V2RefundDesk
from backend.merchant_api.v2.refunds.schemas import Refund, RefundQuery
from backend.merchant_api.v2.tools.desk import ToolDesk
from backend.merchant_api.v2.tools.schemas import CodeToOpenId, SignKey
from backend.payments.services import Services
from backend.rate_limit import RateLimit

PATHS = (
    "/pay/",
    "/secapi/pay/",
    "/papay/",
    "/mmpaymkttransfers/",
    "/tools/",
    "/sandboxnew/",
    "/xdc/",
)
"""How the paths begin whose refusals are XML."""


@dataclass(frozen=True, slots=True)
class Desks:
    """The newer interface's, which do all the work."""

    engine: Engine
    appointments: Appointments
    orders: OrderDesk
    codes: CodePayDesk
    refunds: RefundDesk
    sandbox: Sandbox
    bills: MerchantBills
    contracts: ContractDesk


def v2_router(
    services: Services,
    desks: Desks,
    *,
    accounts: AccountDesk,
    rate: RateLimit,
    openid_key: bytes,
) -> APIRouter:
    """All calls by XML."""
    routes = APIRouter(tags=["merchant v2"])
    gate = V2Gate(
        accounts=accounts,
        appointments=desks.appointments,
        entropy=services.entropy,
        rate=rate,
        sandbox=desks.sandbox,
    )
    orders = V2OrderDesk(desks.orders, desks.engine)
    gate.add(routes, "/pay/unifiedorder", UnifiedOrder, orders.create)
    gate.add(routes, "/pay/orderquery", OneOrder, orders.query)
    gate.add(routes, "/pay/closeorder", ClosedOrder, orders.close)
    codes = V2CodePayDesk(desks.codes, orders)
    gate.add(routes, "/pay/micropay", MicroPay, codes.pay)
    gate.add(routes, "/secapi/pay/reverse", OneOrder, codes.reverse, by_certificate=True)
    refunds = V2RefundDesk(desks.refunds, orders, desks.engine)
    gate.add(routes, "/secapi/pay/refund", Refund, refunds.create, by_certificate=True)
    gate.add(routes, "/pay/refundquery", RefundQuery, refunds.query)
    packets = RedPackDesk(services, desks.engine, desks.sandbox)
    packet = "/mmpaymkttransfers/"
    gate.add(routes, f"{packet}sendredpack", SendRedPack, packets.send, by_certificate=True)
    gate.add(routes, f"{packet}gethbinfo", RedPackQuery, packets.query, by_certificate=True)
    bills = V2BillDesk(desks.bills, desks.engine)
    gate.add(routes, "/pay/downloadbill", DownloadBill, bills.trade)
    gate.add(
        routes, "/pay/downloadfundflow", DownloadFundFlow, bills.fund_flow, by_certificate=True
    )
    contracts = V2ContractDesk(desks.contracts, desks.engine)
    gate.add(routes, "/pay/pappayapply", PapPayApply, contracts.debit)
    gate.add(routes, "/pay/paporderquery", OneOrder, orders.query)
    gate.add_link(routes, "/papay/entrustweb", Entrust, contracts.open)
    gate.add(routes, "/papay/preentrustweb", Entrust, contracts.propose, has_nonce=False)
    gate.add(routes, "/papay/querycontract", OneContract, contracts.query, has_nonce=False)
    gate.add(routes, "/papay/deletecontract", EndedContract, contracts.end, has_nonce=False)
    tools = ToolDesk(services, desks.engine, desks.sandbox, openid_key)
    gate.add(routes, "/tools/authcodetoopenid", CodeToOpenId, tools.openid)
    for path in ("/sandboxnew/pay/getsignkey", "/xdc/apiv2getsignkey/sign/getsignkey"):
        gate.add(routes, path, SignKey, tools.sign_key)
    return routes


def v2_forms(
    services: Services, *, accounts: AccountDesk, openid_key: bytes
) -> Mapping[str, V2Form]:
    """The forms of notices, by their names in the outbox."""
    return {
        name: V2Form(
            services,
            accounts=accounts,
            openid_key=openid_key,
            sign_type=sign_type,
            in_sandbox=in_sandbox,
        )
        for (sign_type, in_sandbox), name in FORMS.items()
    }
