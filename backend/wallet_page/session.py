"""Whose pages a browser gets: the session's token is the wallet's bearer token."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from functools import partial

from fastapi import Request

from backend import forms
from backend.wallet.switches import Switch
from backend.wallet_page.limits import FORM_BYTES_MAX, FORM_FIELDS_MAX
from protocol.errors import CallerError

COOKIE, ROOT = "wallet", "/wallet"
_CONTEXT = b"tillway-wallet-page-v1"

_PAYING = re.compile(rf"{ROOT}(/pay/pay_[0-9A-Z]{{26}})(?:/refuse)?", re.ASCII).fullmatch

read_form = partial(forms.read_form, bytes_max=FORM_BYTES_MAX, fields_max=FORM_FIELDS_MAX)


@dataclass(frozen=True, slots=True)
class Session:
    """A payer in a browser."""

    payer_id: str
    token: str = field(repr=False)
    switches: frozenset[Switch] = frozenset()
    """A tester's, those that are on."""

    @property
    def page_token(self) -> str:
        """What the forms of this session carry."""
        return hmac.new(self.token.encode(), _CONTEXT, hashlib.sha256).hexdigest()


def paying_at(address: str) -> str:
    """The payment that an address of ours is about, as the path below ``ROOT``; "" of any other:
    who signs in goes on with a payment, and to no other place that somebody has written down."""
    found = _PAYING(address)
    return found[1] if found else ""


def token_of(request: Request) -> str:
    """The bearer token of the cookie; ``not_authorized`` without one."""
    token = request.cookies.get(COOKIE, "")
    if not token:
        raise CallerError("not_authorized")
    return token
