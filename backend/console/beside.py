"""Which field of a form a refusal is about, so that a page says it beside that field. Pure.

Rule: what a field lacks is told by the page, in its own words. The browser is asked to check
      nothing: it would speak the browser's language, in a bubble of its own.
"""

from collections.abc import Mapping

from backend.forms import Form
from protocol.errors import CallerError, TillwayError

Fields = Mapping[str, str]
"""By a refusal's code, or by its code and the first word of its detail: the field."""
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
SIGN_IN = ("name", "password", "code")
_CODE_DIGITS = 6


def beside(refusal: TillwayError | None, fields: Fields) -> dict[str, TillwayError]:
    """The field and what is wrong with it; nothing for a refusal that is about no field."""
    if refusal is None:
        return {}
    about = refusal.detail.replace(":", " ").partition(" ")[0]
    name = fields.get(f"{refusal.code} {about}") or fields.get(refusal.code)
    return {name: refusal} if name else {}


def unsigned(form: Form) -> dict[str, TillwayError]:
    """What is missing for a sign-in, by its shape alone: nothing is compared with anybody."""
    wrong: dict[str, TillwayError] = {
        name: CallerError("field_invalid", name)
        for name in SIGN_IN
        if not form.get(name, "").strip()
    }
    code = form.get("code", "").replace(" ", "")
    if not (len(code) == _CODE_DIGITS and code.isdecimal() and code.isascii()):
        wrong["code"] = CallerError("field_invalid", "code")
    return wrong
