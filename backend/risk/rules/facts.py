"""The facts that a rule may read of a payment, each with its type and what it means."""

from dataclasses import dataclass

from backend.risk.features.catalogue import PAYMENT
from backend.risk.rules.language.tree import Type


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact by its name."""

    name: str
    type: Type
    meaning: str


PAYMENT_FACTS = (
    Fact("payment.amount_minor", Type.INT, "the amount, in the currency's smallest unit"),
    Fact("payment.currency", Type.STRING, "ISO 4217"),
    Fact("payment.method", Type.STRING, "balance, card, fund, ecny"),
    Fact("payment.entry", Type.STRING, "payer_code, merchant_code or mandate"),
    Fact("payment.is_confirmed", Type.BOOL, "the payer gave the PIN or a biometric"),
    Fact(
        "merchant.category",
        Type.STRING,
        "ISO 18245 category code, four digits, as it stands with the merchant",
    ),
    Fact("device.verdict", Type.STRING, "same, drifted, clone, emulator, tampered"),
    Fact("device.trust", Type.DOUBLE, "0 to 1"),
    Fact("device.reading_age_s", Type.INT, "since the device's latest fingerprint"),
    Fact("device.binding", Type.STRING, "none, judged, pending or other: whose fingerprint it is"),
    Fact("device.readings", Type.INT, "how many fingerprints it has sent"),
    Fact("model.probability", Type.DOUBLE, "the champion's probability of fraud, 0 to 1"),
    Fact("list.block_payer", Type.BOOL, "the payer is on the block list"),
    Fact("list.block_card", Type.BOOL, "the card is on the block list"),
    Fact("list.block_device", Type.BOOL, "the device is on the block list"),
    Fact("list.block_merchant", Type.BOOL, "the merchant is on the block list"),
    Fact("list.block_store", Type.BOOL, "the store is on the block list"),
    Fact("list.block_address", Type.BOOL, "false: no payment tells its network address yet"),
    Fact("list.grey_payer", Type.BOOL, "the payer is watched"),
    Fact("list.grey_card", Type.BOOL, "the card is watched"),
    Fact("list.grey_device", Type.BOOL, "the device is watched"),
    Fact("list.grey_merchant", Type.BOOL, "the merchant is watched"),
    Fact("list.grey_store", Type.BOOL, "the store is watched"),
    Fact("list.allow_payer", Type.BOOL, "the payer is trusted"),
    Fact("list.allow_card", Type.BOOL, "the card is trusted"),
    Fact("list.allow_device", Type.BOOL, "the device is trusted"),
    Fact("list.allow_merchant", Type.BOOL, "the merchant is trusted"),
    Fact("list.allow_store", Type.BOOL, "the store is trusted"),
)
"""Besides these, every feature of the payment's feature set is a fact by its own name, a double."""

FIELDS: dict[str, Type] = {fact.name: fact.type for fact in PAYMENT_FACTS} | {
    name: Type.DOUBLE for name in PAYMENT.names if name != "payment.amount_minor"
}
"""All facts in the order of a row."""
