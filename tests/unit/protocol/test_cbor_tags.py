"""No tag comes through, known to the library or not."""

import pytest

from protocol import cbor
from protocol.errors import CallerError


@pytest.mark.parametrize(
    "data",
    [
        "c24101",  # a big number
        "c349ffffffffffffffffff",
        "c11a00000000",  # a time
        "c4820102",  # a decimal fraction
        "d8236161",  # a regular expression
        "d81c8101",  # a shared value
        "d901008101",  # a string namespace
        "d901028101",  # a set
        "d9d9f701",  # self-described CBOR
        "da0001d4c101",  # a tag nobody knows
        "db00000001000000008101",
        "a101c24101",
    ],
)
def test_a_tagged_value_is_malformed(data: str) -> None:
    with pytest.raises(CallerError) as caught:
        cbor.decode(bytes.fromhex(data), bytes_max=100)
    assert caught.value.code == "envelope_malformed"
