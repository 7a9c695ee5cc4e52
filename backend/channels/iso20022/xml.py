"""What every ISO 20022 message is built of and read with. Refusals name the place."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from lxml import etree

from protocol.errors import CallerError
from protocol.money import MINOR_DIGITS, Money

MESSAGE_BYTES_MAX = 64 * 1024 * 1024
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
CLEARING_SYSTEM = "CNAPS"
"""The code of the clearing system whose member numbers name banks (ClrSysMmbId)."""


def document(message: str, name: str) -> tuple[etree._Element, etree._Element]:
    """A new document of a message (``pain.001.001.09``) and its body."""
    namespace = NAMESPACE + message
    root = etree.Element(f"{{{namespace}}}Document", nsmap={None: namespace})  # type: ignore[dict-item]  # lxml's default namespace
    return root, add(root, name)


def add(parent: etree._Element, path: str, text: str | None = None) -> etree._Element:
    """A new child, below new children of its path; returns the last."""
    for name in path.split("/"):
        parent = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{name}")
    parent.text = text
    return parent


def add_account(parent: etree._Element, name: str, number: str) -> etree._Element:
    """An account by the bank's own number."""
    account = add(parent, name)
    add(account, "Id/Othr/Id", number)
    return account


def add_member(parent: etree._Element, name: str, member: str) -> None:
    """A bank by its member number in the clearing system."""
    number = add(parent, f"{name}/FinInstnId/ClrSysMmbId")
    add(number, "ClrSysId/Cd", CLEARING_SYSTEM)
    add(number, "MmbId", member)


def add_amount(parent: etree._Element, name: str, amount: Money) -> None:
    """An amount with its currency."""
    add(parent, name, amount.decimal()).set("Ccy", amount.currency)


def add_signed(parent: etree._Element, amount: Money) -> None:
    """An amount whose sign stands in the credit/debit mark."""
    add_amount(parent, "Amt", Money(abs(amount.amount_minor), amount.currency))
    add(parent, "CdtDbtInd", "DBIT" if amount.amount_minor < 0 else "CRDT")


def to_bytes(root: etree._Element) -> bytes:
    """The document as it travels."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def stamp(at_ms: int) -> str:
    """ISODateTime in UTC."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def total(amounts: Iterable[Money]) -> Money:
    """The sum of at least one amount."""
    first, *rest = amounts
    return sum(rest, first)


def read_body(data: bytes, message: str, name: str) -> etree._Element:
    """The body of a message in UTF-8 without a document type; else ``file_rejected``."""
    if len(data) > MESSAGE_BYTES_MAX:
        raise CallerError("file_rejected", "too large")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise CallerError("file_rejected", f"not XML, line {error.lineno}") from None
    facts = root.getroottree().docinfo
    if (facts.encoding or "UTF-8").upper() != "UTF-8":
        raise CallerError("file_rejected", "line 1: not UTF-8")
    if facts.internalDTD is not None or root.tag != f"{{{NAMESPACE + message}}}Document":
        raise CallerError("file_rejected", f"line {root.sourceline}: not a {message} document")
    return find(root, name)


def find(node: etree._Element, path: str) -> etree._Element:
    """The one element at a path."""
    found = read_all(node, path)
    if len(found) > 1:
        raise CallerError("file_rejected", f"line {found[1].sourceline}: {path} stands twice")
    return found[0]


def read_all(
    node: etree._Element, path: str, *, is_optional: bool = False
) -> Sequence[etree._Element]:
    """Every element at a path; at least one, unless it is optional."""
    found = node.findall(_path(path, node))
    if not found and not is_optional:
        raise CallerError("file_rejected", f"line {node.sourceline}: {path} is missing")
    return found


def text(node: etree._Element, path: str, *, default: str | None = None) -> str:
    """The text at a path."""
    found = node.findtext(_path(path, node))
    if found:
        return found
    if default is None:
        raise CallerError("file_rejected", f"line {node.sourceline}: {path} is missing")
    return default


def read_member(node: etree._Element, name: str) -> str:
    """A bank's member number."""
    system = text(node, f"{name}/FinInstnId/ClrSysMmbId/ClrSysId/Cd")
    if system != CLEARING_SYSTEM:
        raise CallerError("file_rejected", f"line {node.sourceline}: {name} of {system[:5]}")
    return text(node, f"{name}/FinInstnId/ClrSysMmbId/MmbId")


def read_amount(node: etree._Element, path: str) -> Money:
    """The amount at a path."""
    found = find(node, path)
    return parse_amount(found.text or "", found.get("Ccy", ""), place=f"line {found.sourceline}")


def read_signed(node: etree._Element) -> Money:
    """An amount with the sign of its credit/debit mark."""
    amount = read_amount(node, "Amt")
    match text(node, "CdtDbtInd"):
        case "CRDT":
            return amount
        case "DBIT":
            return Money(-amount.amount_minor, amount.currency)
    raise CallerError("file_rejected", f"line {node.sourceline}: CdtDbtInd")


def parse_amount(said: str, currency: str, *, place: str) -> Money:
    """Decimal text with exactly its currency's number of decimals, as integer minor units."""
    digits = MINOR_DIGITS.get(currency)
    whole, dot, part = said.partition(".")
    sound = whole.isascii() and whole.isdigit() and (not dot or (part.isascii() and part.isdigit()))
    if digits is None or not sound or len(part) != digits or len(whole) > 13:
        raise CallerError("file_rejected", f"{place}: amount")
    return Money(int(whole + part), currency)


def read_stamp(node: etree._Element, path: str) -> int:
    """A moment with its zone, in milliseconds since 1970."""
    place = f"line {node.sourceline}: {path}"
    try:
        moment = datetime.fromisoformat(text(node, path))
    except ValueError:
        raise CallerError("file_rejected", place) from None
    if moment.tzinfo is None:
        raise CallerError("file_rejected", f"{place} without a zone")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def read_date(node: etree._Element, path: str) -> date:
    """A date at a path."""
    try:
        return date.fromisoformat(text(node, path))
    except ValueError:
        raise CallerError("file_rejected", f"line {node.sourceline}: {path}") from None


def check_items(
    header: etree._Element, ids: Sequence[str], amounts: Sequence[Money], *, sum_path: str
) -> None:
    """What a schema cannot check of a list: one currency, its count, its sum, an id once."""
    place = f"line {header.sourceline}"
    currency = amounts[0].currency
    if any(amount.currency != currency for amount in amounts):
        raise CallerError("file_rejected", f"{place}: more than one currency")
    if any(amount.amount_minor <= 0 for amount in amounts):
        raise CallerError("file_rejected", f"{place}: an amount of nothing")
    said = parse_amount(text(header, sum_path), currency, place=sum_path)
    if text(header, "NbOfTxs") != str(len(ids)) or said != total(amounts):
        raise CallerError("file_rejected", f"{place}: count or control sum")
    check_once(header, ids)


def check_once(node: etree._Element, ids: Sequence[str]) -> None:
    """An EndToEndId stands once."""
    if len(set(ids)) != len(ids):
        twice = next(one for number, one in enumerate(ids) if one in ids[:number])
        raise CallerError(
            "file_rejected", f"line {node.sourceline}: EndToEndId {twice[:35]} stands twice"
        )


def _path(path: str, node: etree._Element) -> str:
    namespace = etree.QName(node).namespace or ""
    return "/".join(f"{{{namespace}}}{step}" for step in path.split("/"))
