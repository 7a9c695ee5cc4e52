"""Whose pages a browser gets.

Rule: what changes something comes by a form that carries the page's own token, made from the
      session's: who cannot read our pages cannot make it. A form from another site is refused
      before anything is read, also the one that signs in.
"""

import hmac
from urllib.parse import parse_qs

from fastapi import Request

from backend.console.limits import FORM_BYTES_MAX, FORM_FIELDS_MAX
from backend.console.model import Person
from protocol.errors import CallerError
from protocol.messages.base import check_characters

COOKIE, ROOT = "console", "/console"
OF_MERCHANT = ROOT + "/merchants/{merchant_id}"
"""Where an operator looks at a merchant's own pages."""
_TOKEN_FIELD = "page"  # noqa: S105  # a field's name
_OWN_SITES = frozenset({"same-origin", "none"})

Form = dict[str, str]


async def read_form(request: Request) -> Form:
    """The fields of a form of our own site, the first of each name, a text of several lines as one;
    ``not_authorized`` for one of
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
        form = {name: " ".join(values[0].splitlines()) for name, values in fields.items()}
        for value in form.values():
            check_characters(value)
    except ValueError:
        raise CallerError("field_invalid", "form") from None
    return form


def check_form(person: Person, form: Form) -> None:
    """``not_authorized`` for a form that is not from this session's pages."""
    told = form.get(_TOKEN_FIELD, "")
    if not hmac.compare_digest(told.encode(), person.page_token.encode()):
        raise CallerError("not_authorized")
