"""Which field of a form a refusal is about, so that a page says it beside that field. Pure.

Rule: what a field lacks is told by the page, in its own words. The browser is asked to check
      nothing: it would speak the browser's language, in a bubble of its own.
"""

from collections.abc import Mapping
from types import MappingProxyType

from backend.console.model import check_password
from backend.forms import Form
from protocol.errors import CallerError, TillwayError

Fields = Mapping[str, str]
"""By a refusal's code, or by its code and the first word of its detail: the field."""
Wrong = Mapping[str, TillwayError]
"""By field: what is wrong with it."""
NOTHING: Wrong = MappingProxyType({})
REFUND: Fields = {"amount_invalid": "amount", "refund_exceeds": "amount"}
WITHDRAWAL: Fields = {"amount_invalid": "amount", "merchant_balance_short": "amount"}
ANSWER: Fields = {"field_invalid evidence": "evidence"}
INVITATION: Fields = {
    "field_invalid name": "name",
    "user_exists": "name",
    "merchant_unknown": "merchant_id",
}
SWITCH: Fields = {
    "field_invalid reason": "reason",
    "merchant_unknown": "subject",
    "device_unknown": "subject",
    "channel_unknown": "subject",
}
START: Fields = {"field_invalid reason": "reason"}
BREAK: Fields = {
    "field_invalid words": "words",
    "field_invalid owner_id": "owner_id",
    "merchant_unknown": "owner_id",
    "payer_unknown": "owner_id",
}
CASE: Fields = {
    "field_invalid words": "words",
    "field_invalid outcome": "outcome",
    "field_invalid fraud": "payments",
    "field_invalid genuine": "payments",
    "field_invalid suspicious": "payments",
    "field_invalid inconclusive": "payments",
    "field_invalid payments": "payments",
    "payment_not_found": "payments",
}
KEYS: Fields = {
    "field_invalid csr": "csr",
    "field_invalid notify_url": "notify_url",
    "console_code_wrong": "code",
}
PASSWORD: Fields = {"password_wrong": "old", "password_weak": "new", "console_code_wrong": "code"}
SETUP: Fields = {"setup_wrong": "setup"}
FACTOR: Fields = {"code_wrong": "code", "password_weak": "password"}
_CODE_DIGITS = 6


def beside(refusal: TillwayError | None, fields: Fields) -> dict[str, TillwayError]:
    """The field and what is wrong with it; nothing for a refusal that is about no field."""
    if refusal is None:
        return {}
    about = refusal.detail.replace(":", " ").partition(" ")[0]
    name = fields.get(f"{refusal.code} {about}") or fields.get(refusal.code)
    return {name: refusal} if name else {}


def lacking(form: Form, *names: str) -> dict[str, TillwayError]:
    """Which of a form's fields are empty, or no ``code``, by their shape alone: nothing is compared
    with anybody, and no try is counted."""
    return {name: CallerError("field_invalid", name) for name in names if not _is_there(form, name)}


def unchosen(form: Form, name: str) -> dict[str, TillwayError]:
    """What is wrong with a new password that is typed twice, in ``name`` and in ``again``."""
    try:
        check_password(form.get(name, ""))
    except CallerError as refusal:
        return {name: refusal}
    is_same = form.get("again", "") == form[name]
    return {} if is_same else {"again": CallerError("field_invalid", "again")}


def _is_there(form: Form, name: str) -> bool:
    text = form.get(name, "").replace(" ", "")
    if name == "code":
        return len(text) == _CODE_DIGITS and text.isdecimal() and text.isascii()
    return bool(text.strip())
