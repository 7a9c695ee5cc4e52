"""What a till that is offline asks a phone to sign: one text has one meaning."""

from collections.abc import Callable

import pytest

from protocol.errors import CallerError
from protocol.messages.offline import WISH_HEAD, OfflineWish

WISH = OfflineWish(
    payment_id="pay_01M8PBJQZ5H76CP39W2VMNFBJT",
    merchant_id="mch-1",
    amount_minor=100_000,
    currency="CNY",
)


def test_a_wish_comes_back_from_its_text() -> None:
    assert OfflineWish.from_text(WISH.to_text()) == WISH
    assert OfflineWish.from_text(WISH.to_text() + "&later=1").amount_minor == 100_000


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("100000", 15 * "0" + "100000"),
        lambda text: text.replace("100000", "0100000"),
        lambda text: text.replace("100000", "1" + 16 * "0"),
        lambda text: text.replace("100000", "１００"),
        lambda text: text.replace("100000", ""),
        lambda text: text + "&amount_minor=1",
        lambda text: text + "".join(f"&more{number}=1" for number in range(9)),
        lambda text: text.removeprefix(WISH_HEAD),
    ],
)  # fmt: skip
def test_a_text_that_another_reader_might_take_otherwise_is_refused(
    change: Callable[[str], str],
) -> None:
    with pytest.raises(CallerError):
        OfflineWish.from_text(change(WISH.to_text()))
