"""Who may say that a payment was a fraud, and when a chargeback does. Pure.

Rule 1: the latest label of a payment holds, whoever gave it.
Rule 2: a lost dispute is a fraud's only if its reason says so: goods that never came are no fraud
        of the payer's, and a label that is wrong declines an honest payer's next payment. What the
        reason leaves open, a person labels.
Rule 3: a label that says what the one before said of its payment is the same fraud, not a second.
        One that says the opposite takes its place: what was counted is counted no more.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any


class LabelSource(StrEnum):
    """Where a label comes from."""

    CASE = "case"
    """Two persons decided a case."""
    DISPUTE = "dispute"
    """The issuer took the money back and called it a fraud."""
    OPERATOR = "operator"
    """Somebody said so by hand."""


_WORDS = re.compile(
    r"fraud|unauthori[sz]ed|not[ _-]authori[sz]ed|no[ _-]cardholder[ _-]authori[sz]ation"
    r"|stolen|counterfeit|not[ _-]recogni[sz]ed|unrecogni[sz]ed|account[ _-]takeover"
    r"|\bidentity[ _-]theft|\blost[ _-]card"
    r"|盗刷|盗用|欺诈|伪卡|冒用|非本人|未授权",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:no|not|non)[ _-](?:a[ _-])?fraud|非欺诈|无欺诈", re.IGNORECASE)


def says_fraud(reason: str) -> bool:
    """Whether a dispute's reason calls the payment a fraud (rule 2)."""
    return bool(_WORDS.search(_DENIED.sub(" ", reason)))


def news(labels: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of labels in the order in which they became known, those that say something new (rule 3)."""
    said: dict[str, bool] = {}
    found = []
    for label in labels:
        is_fraud = bool(label["is_fraud"])
        if said.get(label["payment_id"]) is not is_fraud:
            said[label["payment_id"]] = is_fraud
            found.append(label)
    return found
