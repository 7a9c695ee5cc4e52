"""Merchant-presented codes: the standard's own sample, the way back, and what is refused."""

import binascii
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import emvco
from protocol.errors import CallerError

# EMV QRCPS-MPM, annex: a shop in Beijing with its name in Chinese, whose CRC is A13A.
SAMPLE = (
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN"
    "5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.72530315655020162"
    "33030412340603***0708A60086670902ME91320016A0112233449988770708123456786304A13A"
)
SHOP = emvco.MerchantCode(
    accounts=((26, "0012cn.tillway.a"),),
    category="5411",
    currency="156",
    country="CN",
    name="晨光便利店",
    city="上海",
)


def sealed(text: str) -> str:
    """A text with the CRC that it needs."""
    return f"{text}6304{binascii.crc_hqx((text + '6304').encode(), 0xFFFF):04X}"


def test_the_crc_is_the_catalogues() -> None:
    assert emvco._crc("123456789") == "29B1"


def test_the_standards_sample_is_read_by_characters() -> None:
    code = emvco.parse(SAMPLE)
    assert (code.name, code.city, code.country) == ("BEST TRANSPORT", "BEIJING", "CN")
    assert (code.amount, code.currency, code.is_dynamic) == ("23.72", "156", True)
    assert dict(code.accounts).keys() == {29, 31}
    others = dict(code.others)
    assert emvco.read_objects(others[64]) == ((0, "ZH"), (1, "最佳运输"), (2, "北京"))
    assert dict(emvco.read_objects(others[62]))[7] == "A6008667"
    assert emvco.parse(emvco.make(code)) == code


_letters = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=15)


@given(
    name=_letters,
    city=_letters,
    amount=st.none() | st.from_regex(r"\A[0-9]{1,9}(\.[0-9]{2})?\Z"),
    is_dynamic=st.none() | st.booleans(),
    bill=_letters,
)
def test_what_is_made_is_read_again(
    name: str, city: str, amount: str | None, is_dynamic: bool | None, bill: str
) -> None:
    code = replace(
        SHOP,
        name=name,
        city=city,
        amount=amount,
        is_dynamic=is_dynamic,
        others=((62, emvco.write_objects([(1, bill)])),),
    )
    assert emvco.parse(emvco.make(code)) == code


@given(
    st.text(max_size=60) | st.text("0123456789", max_size=60).map(lambda t: sealed("000201" + t))
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        emvco.parse(text)
    except CallerError as error:
        assert error.code == "field_invalid"


@pytest.mark.parametrize("at", range(0, len(SAMPLE), 7))
def test_a_changed_character_is_noticed(at: int) -> None:
    changed = "X" if SAMPLE[at] != "X" else "Y"
    with pytest.raises(CallerError):
        emvco.parse(SAMPLE[:at] + changed + SAMPLE[at + 1 :])


GOOD = "00020126160012cn.tillway.a5204541153031565802CN5905Shop16002SH"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("5204541153", "53"), "52"),
        (GOOD.replace("26160012cn.tillway.a", ""), "nobody"),
        (GOOD + "5405abcde", "54"),
        (GOOD + "550202", "55"),
        (GOOD + "56041.00", "55"),
        (GOOD + "6002SH", "60"),
        (GOOD + "6109", "61"),
        (GOOD + "010213", "01"),
        (GOOD.replace("000201", "000202"), "first"),
        (GOOD[6:], "first"),
        (GOOD + "80" * 300, "long"),
    ],
)
def test_what_the_standard_does_not_allow_is_refused_by_name(text: str, said: str) -> None:
    assert emvco.parse(sealed(GOOD)).name == "Shop1"
    with pytest.raises(CallerError, match=said):
        emvco.parse(sealed(text))


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SHOP, name="x" * 26),
        replace(SHOP, name=""),
        replace(SHOP, accounts=()),
        replace(SHOP, accounts=((52, "x"),)),
        replace(SHOP, others=((26, "x"),)),
        replace(SHOP, others=((63, "x"),)),
        replace(SHOP, others=((58, "CN"),)),
        replace(SHOP, others=((80, "x" * 100),)),
        replace(SHOP, others=tuple((number, "x" * 99) for number in range(80, 86))),
        replace(SHOP, amount="-1"),
        replace(SHOP, amount="12345678901234"),
        replace(SHOP, currency="CNY"),
    ],
)
def test_what_the_standard_does_not_allow_is_not_made(wrong: emvco.MerchantCode) -> None:
    with pytest.raises(CallerError):
        emvco.make(wrong)
