"""The XML of the older interface and its signatures, against wechatpy's and with hostile bytes."""

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.pay.utils import calculate_signature, calculate_signature_hmac, dict_to_xml

from backend.merchant_api.limits import V2_FIELDS_MAX
from backend.merchant_api.v2.codec import read_fields, write_fields
from backend.merchant_api.v2.faults import V2Error
from backend.merchant_api.v2.signing import SignType, is_signed, signature

KEY = "8934e7d15453e97507ef794cf7b0519d"
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,15}", fullmatch=True).filter(lambda name: name != "sign")
TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn", "Cc")), max_size=40)
FIELDS = st.dictionaries(NAMES, TEXTS, max_size=8)


@given(FIELDS)
def test_what_is_written_is_read_by_us_and_by_others(fields: dict[str, str]) -> None:
    written = write_fields(fields)
    assert read_fields(written) == fields
    theirs = xmltodict.parse(written, strip_whitespace=False)["xml"]
    names = fields.keys()
    assert {name: theirs[name] or "" for name in names} == fields if fields else True


@given(FIELDS)
def test_signatures_are_wechatpys(fields: dict[str, str]) -> None:
    assert signature(fields, KEY, SignType.MD5) == calculate_signature(fields, KEY)
    assert signature(fields, KEY, SignType.HMAC_SHA256) == calculate_signature_hmac(fields, KEY)
    sent = read_fields(dict_to_xml(fields, calculate_signature(fields, KEY)).encode())
    assert is_signed(sent, KEY, SignType.MD5) or "]]>" in "".join(fields.values())
    assert not is_signed(sent | {"more": "1"}, KEY, SignType.MD5)
    assert not is_signed(sent, KEY, SignType.HMAC_SHA256)


def test_the_documented_example_of_a_signature() -> None:
    fields = {
        "appid": "wxd930ea5d5a258f4f",
        "mch_id": "10000100",
        "device_info": "1000",
        "body": "test",
        "nonce_str": "ibuaiVcKdpRxkhJA",
    }
    key = "192006250b4c09247ec02edce69f6a2d"
    assert signature(fields, key, SignType.MD5) == "9A0A8659F005D6984697E2CA0A9CF3B7"
    assert signature(fields, key, SignType.HMAC_SHA256) == (
        "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
    )


BOMB = b"""<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;">]><xml><body>&c;</body></xml>"""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<xml>",
        b"<xml></xml><xml></xml>",
        b"<html></html>",
        b"<xml>text</xml>",
        b"<xml><a><b>1</b></a></xml>",
        b"<xml><a>1</a><a>2</a></xml>",
        b"<xml><a>&nbsp;</a></xml>",
        b"<xml><a>\x00</a></xml>",
        BOMB,
        b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml><a>1</a></xml>',
        b'<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><a>&a;</a></xml>',
        b"<xml>" + b"<a>" * 5_000,
        b"<xml>" + b"".join(b"<a%d>1</a%d>" % (n, n) for n in range(V2_FIELDS_MAX + 1)) + b"</xml>",
        b'<?xml version="1.0" encoding="UTF-16"?>\n<xml\x00>',
    ],
)
def test_a_document_that_is_none(body: bytes) -> None:
    with pytest.raises(V2Error) as refusal:
        read_fields(body)
    assert refusal.value.fault.code == "XML_FORMAT_ERROR"


def test_bytes_that_are_not_utf_8() -> None:
    for body in ("<xml><a>咖啡</a></xml>".encode("gbk"), "<xml/>".encode("utf-16")):
        with pytest.raises(V2Error) as refusal:
            read_fields(body)
        assert refusal.value.fault.code == "NOT_UTF8"


def test_what_programs_write_besides() -> None:
    """A declaration, another encoding's name, comments, attributes and white space."""
    head = '<?xml version="1.0" encoding="GBK"?>\n'
    body = f'{head}<xml a="1">\n <!-- x --><b>咖 </b>\r\n</xml>\n'.encode()
    assert read_fields(body) == {"b": "咖 "}
    assert read_fields(b"<xml/>") == {}
    assert read_fields(b"<xml><a>&lt;&#65;</a><b/></xml>") == {"a": "<A", "b": ""}
