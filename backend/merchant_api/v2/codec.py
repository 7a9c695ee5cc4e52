"""The XML of API v2: one flat element with named texts. Pure.

Rule 1: a document type is refused where it begins, so no entity is ever declared, expanded or
        fetched.
Rule 2: a field stands once and holds text only: what was signed is what is used.
Rule 3: the bytes are UTF-8, whatever the declaration says.
"""

from collections.abc import Mapping
from xml.parsers import expat

from backend.merchant_api.limits import V2_FIELDS_MAX
from backend.merchant_api.v2.faults import NOT_UTF8, XML_FORMAT_ERROR, V2Error

_ROOT = "xml"

Nested = Mapping[str, "str | Nested"]
"""Fields within a field: answers alone have them, and no signature covers them."""


def read_fields(data: bytes) -> dict[str, str]:
    """The fields of a call; ``NOT_UTF8`` or ``XML_FORMAT_ERROR``."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise V2Error(NOT_UTF8) from None
    found = _Fields()
    parser = expat.ParserCreate("UTF-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_document_type
    parser.StartElementHandler = found.begin
    parser.EndElementHandler = found.end
    parser.CharacterDataHandler = found.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        raise V2Error(XML_FORMAT_ERROR) from None
    return found.fields


def write_fields(fields: Mapping[str, "str | Nested"], *, root: str = _ROOT) -> bytes:
    """The document of these fields, every text in a CDATA section."""
    return _element(root, fields).encode()


def _element(name: str, value: "str | Nested") -> str:
    if isinstance(value, str):
        return f"<{name}><![CDATA[{_cdata(value)}]]></{name}>\n"
    inner = "".join(_element(*field) for field in value.items())
    return f"<{name}>\n{inner}</{name}>\n"


def _cdata(text: str) -> str:
    """A section cannot hold its own end: it is cut in two there."""
    return text.replace("]]>", "]]]]><![CDATA[>")


def _no_document_type(*_: object) -> None:
    raise V2Error(XML_FORMAT_ERROR)


class _Fields:
    """What the parser has met."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self._depth = 0
        self._name = ""
        self._texts: list[str] = []

    def begin(self, name: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        is_field = self._depth == 2 and name not in self.fields
        is_root = self._depth == 1 and name == _ROOT
        if not (is_field or is_root) or len(self.fields) >= V2_FIELDS_MAX:
            raise V2Error(XML_FORMAT_ERROR)
        self._name, self._texts = name, []

    def end(self, name: str) -> None:
        if self._depth == 2:
            self.fields[name] = "".join(self._texts)
        self._depth -= 1
        self._texts = []

    def text(self, text: str) -> None:
        if self._depth == 2:
            self._texts.append(text)
        elif text.strip():
            raise V2Error(XML_FORMAT_ERROR)
