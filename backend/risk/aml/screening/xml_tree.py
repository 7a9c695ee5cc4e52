"""XML of strangers, read as data: elements, attributes and text, each with its line.

A document that declares a type or an entity is refused before anything of it is read, so nothing is
expanded and nothing is fetched. Depth and text are bounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from backend.risk.aml.screening.limits import XML_DEPTH_MAX, XML_TEXT_CHARS_MAX
from backend.risk.aml.screening.model import list_invalid


@dataclass(slots=True)
class Element:
    """An element by its local name."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list["Element"] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text, without what surrounds it."""
        return " ".join("".join(self.parts).split())

    def all(self, *path: str) -> Iterator["Element"]:
        """The elements at a path below."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.tag == path[0]:
                yield from child.all(*path[1:])

    def texts(self, *path: str) -> list[str]:
        """The texts at a path below that say something."""
        return [found.text for found in self.all(*path) if found.text]

    def first(self, *path: str) -> str:
        """The first text at a path below, or none."""
        return next(iter(self.texts(*path)), "")


def parse_xml(content: bytes, *, file: str) -> Element:
    """The document's root. Raises ``CallerError`` with the line of what is refused."""
    reading = _Reading(file)
    try:
        reading.parser.Parse(content, True)
    except expat.ExpatError as error:
        why = expat.ErrorString(error.code)
        raise list_invalid(file, error.lineno, why, f"无法解析（{why}）") from error
    [root] = reading.top.children
    return root


class _Reading:
    def __init__(self, file: str) -> None:
        self.top = Element("", {}, 0)
        self._open = [self.top]
        self._file = file
        self._chars = 0
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _refuse(self, *_declared: object) -> None:
        en, zh = "declares a type or an entity", "声明了文档类型或实体"
        raise list_invalid(self._file, self.parser.CurrentLineNumber, en, zh)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        if len(self._open) > XML_DEPTH_MAX:
            en, zh = f"more than {XML_DEPTH_MAX} elements deep", f"元素嵌套超过 {XML_DEPTH_MAX} 层"
            raise list_invalid(self._file, line, en, zh)
        element = Element(name.rpartition(":")[2], attributes, line)
        self._open[-1].children.append(element)
        self._open.append(element)
        self._chars = 0

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._chars += len(text)
        if self._chars > XML_TEXT_CHARS_MAX:
            line = self.parser.CurrentLineNumber
            en = f"more than {XML_TEXT_CHARS_MAX} characters of text"
            raise list_invalid(self._file, line, en, f"文字超过 {XML_TEXT_CHARS_MAX} 个字符")
        self._open[-1].parts.append(text)
