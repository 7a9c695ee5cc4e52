"""What a scanned text is, by its form: whose pay code it is, or why nobody can be paid by it.

Rule 1: the forms are a table, and the table is configuration; the first form that fits decides.
Rule 2: whatever is no pay code of a wallet that is taken here gives a stable error code, whose
sentence tells the cashier what to ask of the payer. Nothing is guessed from a part of a text.

The usual table (``USUAL_FORMS``) has no two forms that fit one text: 18 digits from 10 to 15 are
WeChat's (付款码支付), 16 to 24 digits from 25 to 30 are Alipay's (alipay.trade.pay, auth_code),
19 digits from 62 are UnionPay's, and a text that begins with Base64 of tag 85 ``CPV01`` is a
consumer-presented code of EMVCo (EMV QRCPS-CPM 1.1 §4.1), which no gateway of ours takes.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from protocol import emvco
from protocol.errors import CallerError

Use = Literal["pay_code", "merchant_code", "emvco_merchant_code"]
"""``emvco_merchant_code``: a merchant's code whose EMVCo objects and CRC must hold, too."""

OWN_WALLET = "wechat"
"""Whose form our own payers' codes have; every other wallet's payers are somebody else's."""
SCANNED_CHARS_MAX = emvco.CODE_CHARS_MAX
FORM_CHARS_MAX = 128
FORMS_MAX = 64
NO_CODE, MERCHANT_CODE, OTHER_WALLET = (
    "pay_code_invalid",
    "merchant_code_scanned",
    "wallet_not_taken",
)


@dataclass(frozen=True, slots=True)
class Form:
    """One row: a regular expression for the whole text, whose code that is, and what it is for."""

    wallet: str
    form: str
    use: Use = "pay_code"


@dataclass(frozen=True, slots=True)
class Scanned:
    """A text without the blanks around it. ``error_code`` None: a pay code that is taken here;
    else the sentence for the cashier. ``wallet`` is empty where no form fits."""

    text: str
    wallet: str
    use: Use | None
    error_code: str | None


USUAL_FORMS: tuple[Form, ...] = (
    Form("wechat", r"1[0-5]\d{16}"),
    Form("alipay", r"(?:2[5-9]|30)\d{14,22}"),
    Form("unionpay", r"62\d{17}"),
    Form("emvco", r"hQVDUFYwMW[A-Za-z0-9+/]+={0,2}"),
    Form("emvco", r"000201.*", "emvco_merchant_code"),
    Form("wechat", r"(?:weixin://wxpay/|wxp://).*", "merchant_code"),
    Form("alipay", r"https://qr\.alipay\.com/.*", "merchant_code"),
    Form("unionpay", r"https://qr\.95516\.com/.*", "merchant_code"),
    Form("qq", r"91\d{16}"),
    Form("ecny", r"01\d{17}"),
)


class ScanTable:
    """The forms, and the wallets whose pay codes are taken here."""

    def __init__(self, forms: Sequence[Form], taken: Collection[str]) -> None:
        """Raises ``CallerError("config_invalid")`` for a form that is no regular expression."""
        if len(forms) > FORMS_MAX:
            raise CallerError("config_invalid", f"more than {FORMS_MAX} forms")
        self._forms = [(form, compiled(form.form)) for form in forms]
        self._taken = frozenset(taken)

    def find(self, text: str) -> Scanned:
        """What a text is. Never raises for any text."""
        text = text.strip()
        if len(text) > SCANNED_CHARS_MAX:
            return Scanned("", "", None, NO_CODE)
        for form, pattern in self._forms:
            if pattern.fullmatch(text) is not None and _holds(form, text):
                return Scanned(text, form.wallet, form.use, self._error(form))
        return Scanned(text, "", None, NO_CODE)

    def _error(self, form: Form) -> str | None:
        if form.use != "pay_code":
            return MERCHANT_CODE
        return None if form.wallet in self._taken else OTHER_WALLET


def compiled(form: str) -> re.Pattern[str]:
    """The expression of a form; ``CallerError("config_invalid")`` for anything else."""
    if not 0 < len(form) <= FORM_CHARS_MAX:
        raise CallerError("config_invalid", f"a form has 1 to {FORM_CHARS_MAX} characters")
    try:
        return re.compile(form, re.ASCII)
    except re.error as error:
        raise CallerError("config_invalid", f"form {form!r}: {error}") from None


def _holds(form: Form, text: str) -> bool:
    """Whether a text is what its beginning claims."""
    if form.use != "emvco_merchant_code":
        return True
    try:
        emvco.parse(text)
    except CallerError:
        return False
    return True
