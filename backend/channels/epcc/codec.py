"""Messages to XML and back, by the places that `model.py` gives their fields.

Rule 1: what is read was valid under ``epcc.xsd`` before a value is taken out of it; what is
        written is in the schema's order.
Rule 2: wrong anywhere: refused whole (``file_rejected``) with line and reason.
Rule 3: no entity, no DTD, no network, bounded size.
"""

import re
from dataclasses import MISSING, fields
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree

from backend.channels.epcc import ids
from backend.channels.epcc.limits import MESSAGE_BYTES_MAX, ROWS_PER_MESSAGE_MAX
from backend.channels.epcc.model import MESSAGES, Header, Message, type_name
from backend.channels.epcc.sealed import Opener, Sealer
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError
from protocol.money import MINOR_DIGITS, Money

NAMESPACE = "urn:tillway:epcc:subset:1"
_Q = f"{{{NAMESPACE}}}"
_AMOUNT = re.compile(r"([A-Z]{3})(-?)(0|[1-9][0-9]{0,15})(?:\.([0-9]{1,2}))?")


def write(
    header: Header, message: Message, *, signed_with: VerifyKey, receiver: VerifyKey
) -> bytes:
    """The XML of a message, its sensitive fields sealed for the receiver."""
    assert MESSAGES[header.message_type] is type(message)
    root = etree.Element(f"{_Q}root", nsmap={None: NAMESPACE})  # type: ignore[dict-item]  # lxml's default namespace
    head, body = etree.SubElement(root, f"{_Q}MsgHeader"), etree.SubElement(root, f"{_Q}MsgBody")
    sealer = Sealer(receiver)
    _fill(body, message, sealer)
    serial, envelope = sealer.envelope()
    for name, text in (
        ("SndDt", ids.china_text(header.sent_at_ms)),
        ("MsgTp", type_name(header.message_type)),
        ("IssrId", header.issuer),
        ("Drctn", header.direction),
        ("SignSN", signed_with.kid.hex()),
        ("NcrptnSN", serial),
        ("DgtlEnvlp", envelope),
    ):
        if text:
            etree.SubElement(head, f"{_Q}{name}").text = text
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def read(xml: bytes, key: SigningKey) -> tuple[Header, Message]:
    """A message for the owner of ``key``. Its signature is `frame.py`'s matter."""
    root = parse(xml)
    head, body = root[0], root[1]
    number = _text(head, "MsgTp")[5:8]
    header = Header(
        ids.china_ms(_text(head, "SndDt")), number, _text(head, "IssrId"), _text(head, "Drctn")
    )
    envelope = _text(head, "DgtlEnvlp")
    opener = None
    if envelope:
        opener = Opener(key, serial=_text(head, "NcrptnSN"), envelope=envelope)
    message = _taken(body, MESSAGES[number], opener)
    return header, message


def parse(xml: bytes) -> etree._Element:
    """The document, valid under our schema."""
    if len(xml) > MESSAGE_BYTES_MAX:
        raise CallerError("file_rejected", "too large")
    try:
        xml.decode("utf-8")
        root = etree.fromstring(xml, _parser())
    except UnicodeDecodeError:
        raise CallerError("file_rejected", "not UTF-8") from None
    except etree.XMLSyntaxError as error:
        raise CallerError("file_rejected", f"line {error.lineno}: {error.msg}") from None
    document: Any = root.getroottree().docinfo
    if document.doctype or (document.encoding or "UTF-8").upper() != "UTF-8":
        raise CallerError("file_rejected", "line 1: a DTD or another encoding than UTF-8")
    schema = _schema()
    if not schema.validate(root):
        errors: Any = schema.error_log
        wrong = errors[0]
        raise CallerError("file_rejected", f"line {wrong.line}: {wrong.message[:200]}")
    return root


def write_amount(amount: Money) -> str:
    """``CNY1.00``."""
    return f"{amount.currency}{amount.decimal()}"


def read_amount(text: str, place: str) -> Money:
    """An amount's text with exactly its currency's decimals."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise CallerError("file_rejected", f"{place}: an amount")
    currency, sign, whole, part = found.groups()
    if currency not in MINOR_DIGITS or len(part or "") != MINOR_DIGITS[currency]:
        raise CallerError("file_rejected", f"{place}: a currency or its decimals")
    try:
        return Money(int(f"{sign}{whole}{part or ''}"), currency)
    except CallerError:
        raise CallerError("file_rejected", f"{place}: an amount beyond the limit") from None


def _fill(parent: etree._Element, value: Any, sealer: Sealer) -> None:  # noqa: ANN401  # any message or row
    for spec in fields(value):
        content, path = getattr(value, spec.name), spec.metadata["path"]
        if "row" in spec.metadata:
            assert len(content) <= ROWS_PER_MESSAGE_MAX
            for row in content:
                _fill(etree.SubElement(_parent(parent, path), _name(path)), row, sealer)
        elif content != "":
            text = _write_value(spec.metadata["kind"], content)
            if spec.metadata["sealed"]:
                text = sealer.seal(text, path)
            etree.SubElement(_parent(parent, path), _name(path)).text = text


def _parent(top: etree._Element, path: str) -> etree._Element:
    """The element above a path's last step: the one just written, or a new one."""
    for step in path.split("/")[:-1]:
        tag = f"{_Q}{step}"
        top = top[-1] if len(top) and top[-1].tag == tag else etree.SubElement(top, tag)
    return top


def _name(path: str) -> str:
    return f"{_Q}{path.rpartition('/')[2]}"


def _write_value(kind: str, value: Any) -> str:  # noqa: ANN401  # what the field's kind says
    match kind:
        case "amount":
            return write_amount(value)
        case "moment":
            return ids.china_text(value)
        case "day":
            return str(value.isoformat())
    return str(value)


def _taken(parent: etree._Element, wanted: type, opener: Opener | None) -> Any:  # noqa: ANN401  # any message or row
    found: dict[str, Any] = {}
    for spec in fields(wanted):
        path = spec.metadata["path"]
        elements = parent.findall("/".join(f"{_Q}{step}" for step in path.split("/")))
        if "row" in spec.metadata:
            rows = (_taken(element, spec.metadata["row"], opener) for element in elements)
            found[spec.name] = tuple(rows)
        elif elements:
            found[spec.name] = _value(elements[0], spec.metadata, opener)
        elif spec.default is MISSING:
            raise CallerError("file_rejected", f"line {parent.sourceline}: {path} is missing")
    return wanted(**found)


def _value(element: etree._Element, place: Any, opener: Opener | None) -> Any:  # noqa: ANN401  # what the field's kind says
    text, path = element.text or "", place["path"]
    where = f"line {element.sourceline}: {path}"
    if place["sealed"]:
        if opener is None:
            raise CallerError("file_rejected", f"{where}: sealed without an envelope")
        text = opener.open(text, path)
    match place["kind"]:
        case "amount":
            return read_amount(text, where)
        case "count":
            return int(text)
        case "moment":
            return ids.china_ms(text)
        case "day":
            return date.fromisoformat(text)
    return text


def _text(parent: etree._Element, name: str) -> str:
    return parent.findtext(f"{_Q}{name}") or ""


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip


@cache
def _schema() -> etree.XMLSchema:
    text = files("backend.channels.epcc").joinpath("epcc.xsd").read_bytes()
    return etree.XMLSchema(etree.fromstring(text))
