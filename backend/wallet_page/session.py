"""Whose pages a browser gets.

Rule: what changes something comes by a form that carries the page's own token, made from the bearer
      token, which is the session's: who cannot read our pages cannot make it. A form from another
      site is refused before anything is read, also the one that signs in.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from fastapi import Request

from backend.wallet.switches import Switch
from backend.wallet_page.limits import FORM_BYTES_MAX, FORM_FIELDS_MAX
from protocol.errors import CallerError

COOKIE, ROOT = "wallet", "/wallet"
_CONTEXT = b"tillway-wallet-page-v1"
_TOKEN_FIELD = "page"  # noqa: S105  # a field's name
_OWN_SITES = frozenset({"same-origin", "none"})

Form = dict[str, str]


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


def token_of(request: Request) -> str:
    """The bearer token of the cookie; ``not_authorized`` without one."""
    token = request.cookies.get(COOKIE, "")
    if not token:
        raise CallerError("not_authorized")
    return token


async def read_form(request: Request) -> Form:
    """The fields of a form of our own site, the first of each name; ``not_authorized`` for one of
    another site, ``field_invalid`` for what is no form."""
    if request.headers.get("sec-fetch-site", "none") not in _OWN_SITES:
        raise CallerError("not_authorized")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES_MAX:
            raise CallerError("field_invalid", "form")
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except ValueError:
        raise CallerError("field_invalid", "form") from None
    return {name: values[0] for name, values in fields.items()}


def check_form(session: Session, form: Form) -> None:
    """``not_authorized`` for a form that is not from this session's pages."""
    told = form.get(_TOKEN_FIELD, "")
    if not hmac.compare_digest(told.encode(), session.page_token.encode()):
        raise CallerError("not_authorized")
