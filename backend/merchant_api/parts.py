"""The merchant interface, put together."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter

from backend.identity.ca import CertificateAuthority
from backend.merchant_api.bills import routes as bill_routes
from backend.merchant_api.bills.desk import MerchantBills
from backend.merchant_api.callbacks.form import FORM, V3Form
from backend.merchant_api.callup import routes as callup_routes
from backend.merchant_api.codepay import routes as codepay_routes
from backend.merchant_api.codepay.desk import CodePayDesk
from backend.merchant_api.combine import routes as combine_routes
from backend.merchant_api.combine.desk import CombineDesk
from backend.merchant_api.config import MerchantApiSettings
from backend.merchant_api.favor import routes as favor_routes
from backend.merchant_api.favor.desk import FavorDesk
from backend.merchant_api.funds import routes as fund_routes
from backend.merchant_api.funds.desk import FundsDesk
from backend.merchant_api.keys import routes as key_routes
from backend.merchant_api.keys.desk import AccountDesk
from backend.merchant_api.keys.ring import KeyRing
from backend.merchant_api.keys.sealing import Vault
from backend.merchant_api.limits import (
    CALLERS_REMEMBERED_MAX,
    CALLS_ALL_PER_S_MAX,
    CALLS_PER_S_MAX,
    RATE_WINDOW_MS,
    REFUNDS_PER_S_MAX,
)
from backend.merchant_api.lists import routes as list_routes
from backend.merchant_api.lists.desk import OwnLists
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.orders import routes as order_routes
from backend.merchant_api.orders.desk import OrderDesk
from backend.merchant_api.orders.engine import Engine
from backend.merchant_api.papay import routes as contract_routes
from backend.merchant_api.papay.desk import ContractDesk
from backend.merchant_api.papay.model import PERMISSION_FORM
from backend.merchant_api.partners import routes as partner_routes
from backend.merchant_api.partners.desk import Appointments, PartnerDesk
from backend.merchant_api.payers import routes as payer_routes
from backend.merchant_api.payscore import routes as service_routes
from backend.merchant_api.payscore.desk import ServiceDesk
from backend.merchant_api.payscore.service import FORM as PAYSCORE_FORM
from backend.merchant_api.refunds import routes as refund_routes
from backend.merchant_api.refunds.desk import RefundDesk
from backend.merchant_api.security import routes as security_routes
from backend.merchant_api.sharing import routes as sharing_routes
from backend.merchant_api.sharing.desk import SharingDesk
from backend.merchant_api.transfers import routes as transfer_routes
from backend.merchant_api.transfers.desk import TransferDesk
from backend.merchant_api.v2.parts import Desks, v2_forms, v2_router
from backend.merchant_api.wire.asked import Refusal
from backend.merchant_api.wire.gate import Gate, add_unknown_paths
from backend.merchant_transfers import routes as given_routes
from backend.notify.ports import CallbackForm
from backend.payments.services import Services
from backend.rate_limit import RateLimit
from protocol.clock import Clock

_DEFAULT = MerchantApiSettings()


@dataclass(frozen=True, slots=True)
class MerchantApi:
    """What the program needs of this room."""

    accounts: AccountDesk
    ring: KeyRing
    bills: MerchantBills
    forms: Mapping[str, CallbackForm]
    """How callbacks are dressed, by the form's name in the outbox."""
    router: APIRouter
    v2_router: APIRouter
    wallet_router: APIRouter
    contracts: ContractDesk
    agreed: ServiceDesk


def build_merchant_api(
    services: Services,
    *,
    master_key: bytes,
    clock: Clock,
    authority: CertificateAuthority,
    settings: MerchantApiSettings = _DEFAULT,
) -> MerchantApi:
    """``clock`` is the machine's, which is on the wire; the services' is the business's."""
    vault = Vault.of(master_key)
    ring = KeyRing(services, vault)
    accounts = AccountDesk(services, ring, vault, authority=authority, clock=clock)
    rate = _rate(clock, CALLS_PER_S_MAX)
    gate = Gate(
        submit=services.submit,
        ring=ring,
        accounts=accounts,
        clock=clock,
        entropy=services.entropy,
        rate=rate,
        probes_every=settings.signature_probes_every,
    )
    routes = _signed_routes(gate)
    key_routes.add_routes(routes, ring, services.entropy)
    engine = Engine(services)
    sandbox = Sandbox(is_on=settings.sandbox)
    orders = OrderDesk(services, engine, vault.openid_key, sandbox)
    order_routes.add_routes(routes, orders)
    codes = CodePayDesk(services, engine, vault.openid_key, sandbox)
    codepay_routes.add_routes(routes, codes)
    refunds = _refunds(services, engine, sandbox, clock, settings)
    contracts = ContractDesk(
        services, engine, accounts=accounts, openid_key=vault.openid_key, sandbox=sandbox
    )
    contract_routes.add_routes(routes, contracts, orders)
    appointments = Appointments(services)
    refund_routes.add_routes(routes, refunds, ring, appointments)
    combines = CombineDesk(services, engine, appointments, vault.openid_key, sandbox)
    combine_routes.add_routes(routes, combines)
    partner_routes.add_routes(routes, PartnerDesk(appointments, orders, codes))
    _add_sharing(routes, services, ring, settings, appointments)
    agreed = ServiceDesk(services, engine, contracts, accounts, vault.openid_key, sandbox)
    service_routes.add_routes(routes, agreed)
    wallet = _wallet_router(services, accounts, vault.openid_key)
    contract_routes.add_wallet_routes(wallet, services, contracts)
    service_routes.add_wallet_routes(wallet, services, agreed)
    security_routes.add_routes(routes, services, ring)
    bills = MerchantBills(
        services, appointments, master_key=master_key, openid_key=vault.openid_key, clock=clock
    )
    _add_papers(routes, services, bills, settings)
    _add_money(routes, services, ring, sandbox)
    add_unknown_paths(routes)
    return MerchantApi(
        accounts,
        ring,
        bills,
        _forms(services, accounts, vault.openid_key, clock, settings),
        routes,
        v2_router(
            services,
            Desks(engine, appointments, orders, codes, refunds, sandbox, bills, contracts),
            accounts=accounts,
            rate=rate,
            openid_key=vault.openid_key,
        ),
        wallet,
        contracts,
        agreed,
    )


def _signed_routes(gate: Gate) -> APIRouter:
    """Where all calls of API v3 are."""
    return APIRouter(
        prefix="/v3",
        tags=["merchant v3"],
        route_class=gate.route_class(),
        responses={"4XX": {"model": Refusal}, "5XX": {"model": Refusal}},
    )


def _refunds(
    services: Services,
    engine: Engine,
    sandbox: Sandbox,
    clock: Clock,
    settings: MerchantApiSettings,
) -> RefundDesk:
    return RefundDesk(
        services,
        engine,
        sandbox=sandbox,
        rate=_rate(clock, REFUNDS_PER_S_MAX),
        gap_ms=settings.refund_gap_s * 1000,
    )


def _forms(
    services: Services,
    accounts: AccountDesk,
    openid_key: bytes,
    clock: Clock,
    settings: MerchantApiSettings,
) -> Mapping[str, CallbackForm]:
    """How callbacks are dressed."""
    form = V3Form(
        services,
        accounts=accounts,
        clock=clock,
        openid_key=openid_key,
        probes_every=settings.signature_probes_every,
    )
    older = v2_forms(services, accounts=accounts, openid_key=openid_key)
    return {FORM: form, PAYSCORE_FORM: form, PERMISSION_FORM: form, **older}


def _add_papers(
    routes: APIRouter, services: Services, bills: MerchantBills, settings: MerchantApiSettings
) -> None:
    """What a merchant reads: its bills, its payments and refunds."""
    bill_routes.add_routes(routes, bills, settings.public_url)
    list_routes.add_routes(routes, OwnLists(services))


def _add_money(routes: APIRouter, services: Services, ring: KeyRing, sandbox: Sandbox) -> None:
    """What merchants do with their own money: take it out, give it, set it aside for coupons."""
    fund_routes.add_routes(routes, FundsDesk(services, sandbox))
    transfer_routes.add_routes(routes, TransferDesk(services, ring, sandbox))
    favor_routes.add_routes(routes, FavorDesk(services))


def _add_sharing(
    routes: APIRouter,
    services: Services,
    ring: KeyRing,
    settings: MerchantApiSettings,
    appointments: Appointments,
) -> None:
    desk = SharingDesk(
        services, ring, bps_max=settings.share_bps_max, after_ms=settings.share_after_s * 1000
    )
    sharing_routes.add_routes(routes, desk, appointments)


def _wallet_router(services: Services, accounts: AccountDesk, openid_key: bytes) -> APIRouter:
    """What payers' wallets do with merchants' apps."""
    routes = APIRouter(prefix="/wallet/v1", tags=["wallet"])
    payer_routes.add_routes(routes, services, accounts, openid_key)
    given_routes.add_wallet_routes(routes, services)
    callup_routes.add_routes(routes, services, accounts)
    return routes


def _rate(clock: Clock, each_max: int) -> RateLimit:
    return RateLimit(
        now_ms=clock.now_ms,
        window_ms=RATE_WINDOW_MS,
        each_max=each_max,
        all_max=CALLS_ALL_PER_S_MAX,
        callers_max=CALLERS_REMEMBERED_MAX,
    )
