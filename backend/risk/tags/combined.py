"""Tags of several signals at once: takeover, devices, lists. Each level is a tag of its own."""

from collections.abc import Iterator
from itertools import product

from backend.risk.devices.attributes import ATTRIBUTES
from backend.risk.devices.facts import Binding
from backend.risk.devices.judging import Verdict
from backend.risk.tags.signals import PAIRS
from backend.risk.tags.taxonomy import (
    Category,
    Part,
    Source,
    Tag,
    amount_from,
    at_least,
    at_most,
    first_ever,
    is_true,
    is_word,
    tag_of,
)
from backend.risk.tags.words import ENTITIES

_AMOUNTS = (50_000, 200_000, 1_000_000)
_DAY_S = 86_400.0
_BESIDE: dict[str, tuple[tuple[Part, ...], str, str]] = {
    "amount_ratio": (
        tuple(at_least("payer.amount_ratio_30d", x) for x in (3.0, 6.0, 12.0)),
        "金额远高于平时",
        "far above the usual",
    ),
    "amount_zscore": (
        tuple(at_least("payer.amount_zscore_30d", x) for x in (3.0, 6.0, 12.0)),
        "金额偏离平时",
        "deviations from the usual",
    ),
    "amount_to_max": (
        tuple(at_least("payer.amount_to_max_30d", x) for x in (1.5, 3.0, 6.0)),
        "金额创新高",
        "above the largest",
    ),
    "amount": (tuple(amount_from(x) for x in _AMOUNTS), "金额较大", "a large amount"),
    "pins_wrong": (
        tuple(at_least("payer.pins_wrong_1d", x) for x in (1.0, 2.0, 4.0)),
        "此前密码错误",
        "after wrong PINs",
    ),
    "pause": (
        tuple(at_least("payer.since_last_s", x * _DAY_S) for x in (7, 14, 28)),
        "沉寂后",
        "after a silence",
    ),
    "count": (
        tuple(at_least("payer.count_1h", x) for x in (3.0, 6.0, 12.0)),
        "短时多笔",
        "many within the hour",
    ),
    "declined": (
        tuple(at_least("payer.declined_1h", x) for x in (1.0, 2.0, 4.0)),
        "此前被拒",
        "after declines",
    ),
}
_LISTS = {
    "block_payer": ("付款人在黑名单", "the payer is on the block list"),
    "block_card": ("银行卡在黑名单", "the card is on the block list"),
    "block_device": ("终端在黑名单", "the device is on the block list"),
    "block_merchant": ("商户在黑名单", "the merchant is on the block list"),
    "block_address": ("网络地址在黑名单", "the address is on the block list"),
    "grey_payer": ("付款人在灰名单", "the payer is watched"),
    "grey_merchant": ("商户在灰名单", "the merchant is watched"),
    "allow_payer": ("付款人在白名单", "the payer is trusted"),
}
_ATTACKS = (Verdict.CLONE, Verdict.EMULATOR, Verdict.TAMPERED)


def combined_tags() -> Iterator[Tag]:
    """All tags that combine several facts."""
    yield from _takeover()
    yield from _identity()
    yield from _device()


def _takeover() -> Iterator[Tag]:
    """Two who never met before, and something that is unusual beside."""
    for pair, (beside, (parts, zh, en)) in product(PAIRS, _BESIDE.items()):
        zh_pair, en_pair = ENTITIES[pair]
        for number, part in enumerate(parts, 1):
            yield tag_of(
                Category.TAKEOVER,
                f"new_{pair}.{beside}.{number}",
                *first_ever(pair),
                part,
                words=(
                    f"{zh_pair}首次相遇，{zh}（{number}级）",
                    f"{en_pair} for the first time, {en}, {number}",
                ),
                source=Source.PAYMENT,
            )


def _identity() -> Iterator[Tag]:
    for name, words in _LISTS.items():
        yield _one(Category.IDENTITY, f"list.{name}", is_true(f"list.{name}"), words=words)
    for name, edge in product(("grey_payer", "grey_merchant"), _AMOUNTS):
        zh, en = _LISTS[name]
        yield _one(
            Category.IDENTITY,
            f"list.{name}.from_{edge}",
            is_true(f"list.{name}"),
            amount_from(edge),
            words=(f"{zh}，金额不低于{edge}分", f"{en}, from {edge}"),
        )
    for edge in _AMOUNTS:
        yield _one(
            Category.IDENTITY,
            f"unconfirmed.from_{edge}",
            is_true("payment.is_confirmed", wanted=False),
            amount_from(edge),
            words=(f"未验证且金额不低于{edge}分", f"not confirmed, from {edge}"),
        )
    for entity in ("payer", "card", "device", "merchant", "store", "address"):
        zh, en = ENTITIES[entity]
        yield _one(
            Category.IDENTITY,
            f"{entity}.first_ever",
            *first_ever(entity),
            words=(f"{zh}首次出现", f"{en} was never seen before"),
        )


def _device() -> Iterator[Tag]:
    for verdict in (Verdict.DRIFTED, *_ATTACKS):
        yield _one(
            Category.DEVICE,
            f"verdict.{verdict}",
            is_word("device.verdict", verdict, "same"),
            words=(f"设备判定：{verdict}", f"the device is judged {verdict}"),
        )
    for verdict, edge in product(_ATTACKS, _AMOUNTS):
        yield _one(
            Category.DEVICE,
            f"verdict.{verdict}.from_{edge}",
            is_word("device.verdict", verdict, "same"),
            amount_from(edge),
            words=(
                f"设备判定：{verdict}，金额不低于{edge}分",
                f"the device is judged {verdict}, from {edge}",
            ),
        )
    for percent in (90, 70, 50, 20):
        yield _one(
            Category.DEVICE,
            f"trust.up_to_{percent}",
            at_most("device.trust", percent / 100),
            words=(f"设备信任度不高于{percent}%", f"trust up to {percent} in 100"),
        )
    for days in (1, 7, 30):
        yield _one(
            Category.DEVICE,
            f"reading_older_than_{days}d",
            at_least("device.reading_age_s", days * _DAY_S),
            words=(f"指纹已有{days}天未更新", f"no fingerprint for {days} days"),
        )
    for binding in (Binding.NONE, Binding.PENDING, Binding.OTHER):
        yield _one(
            Category.DEVICE,
            f"binding.{binding}",
            is_word("device.binding", binding, Binding.JUDGED.value),
            words=(f"请求与指纹的关系：{binding}", f"the request's fingerprint: {binding}"),
        )
    for number in (0, 1, 3):
        yield _one(
            Category.DEVICE,
            f"readings.up_to_{number}",
            at_most("device.readings", float(number)),
            words=(f"指纹读数不超过{number}次", f"up to {number} fingerprints"),
        )
    for name in dict.fromkeys(attribute.name for attribute in ATTRIBUTES):
        yield _one(
            Category.DEVICE,
            f"changed.{name}",
            is_true(f"device.changed_{name}"),
            words=(f"设备属性变化：{name}", f"changed: {name}"),
        )


def _one(category: Category, name: str, *parts: Part, words: tuple[str, str]) -> Tag:
    return tag_of(category, name, *parts, words=words, source=Source.PAYMENT)
