"""The people who pay in the demo: each with a bank card, a wallet and a phone."""

import secrets

from protocol.crypto.keys import generate
from protocol.ids import PAYER, RANDOM_BYTES, TOPUP, mint
from tillway.demo.phone import Phone
from tillway.demo.stack import Stack
from tillway.json_api import JsonApi


def new_phone(stack: Stack, name: str, balance_minor: int) -> Phone:
    """A payer with a bank card, a wallet and a first top-up through the channel."""
    now_ms = stack.now_ms()
    payer_id = mint(PAYER, time_ms=now_ms, random_bytes=secrets.token_bytes(RANDOM_BYTES))
    key, pin = generate("Ed25519"), f"{secrets.randbelow(10**6):06d}"
    payer = {
        "payer_id": payer_id,
        "name": name,
        "pin": pin,
        "key_suite": key.suite.name,
        "key_public": key.public.public.hex(),
    }
    made = stack.operator.post("/operator/v1/payers", payer)
    phone = Phone(
        payer_id=payer_id,
        name=name,
        api=JsonApi(stack.public_url, stack.ca, made["token"]),
        key=key,
        pin=pin,
        code_secret=bytes.fromhex(made["code_secret"]),
        code_route=int(made["code_route"]),
    )
    stack.phones.append(phone)
    if balance_minor:
        _top_up(stack, phone, balance_minor)
    return phone


def card_of(phone: Phone) -> str:
    """The payer's bank account."""
    return f"CARD-{phone.payer_id[-12:]}"


def _top_up(stack: Stack, phone: Phone, amount_minor: int) -> None:
    """Move money from the payer's bank account to the wallet."""
    account = card_of(phone)
    opening_minor = 10 * amount_minor
    stack.sandbox.open_bank_account(account, phone.name, opening_minor, token=account)
    random_bytes = secrets.token_bytes(RANDOM_BYTES)
    order = {
        "topup_id": mint(TOPUP, time_ms=stack.now_ms(), random_bytes=random_bytes),
        "bank_account": account,
        "amount_minor": amount_minor,
    }
    stack.operator.post(f"/operator/v1/payers/{phone.payer_id}/topups", order)
