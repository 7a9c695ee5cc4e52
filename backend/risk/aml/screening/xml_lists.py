"""The lists that are published as XML, told apart by their root: the United Nations' consolidated
list, OFAC's SDN list, the European Union's consolidated list and the United Kingdom's.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from backend.risk.aml.screening.limits import ENTRIES_PER_LIST_MAX, NAMES_PER_ENTRY_MAX
from backend.risk.aml.screening.model import Listed, ListedKind, NameList, list_invalid, one_each
from backend.risk.aml.screening.xml_tree import Element, parse_xml

_YEAR = re.compile(r"\b(1[89]\d\d|20\d\d)\b")
Entries = Iterator[tuple[int, Listed]]


def parse_xml_list(content: bytes, *, file: str, name: str) -> NameList:
    """A list by its bytes. Raises ``CallerError`` ``table_invalid`` with the line."""
    root = parse_xml(content, file=file)
    entries_of = READERS.get(root.tag)
    if entries_of is None:
        tag, known = root.tag[:40], sorted(READERS)
        en = f"the root is {tag}, none of {', '.join(known)}"
        zh = f"根元素是 {tag}，不是 {'、'.join(known)} 之一"
        raise list_invalid(file, root.line, en, zh)
    entries = one_each(file, entries_of(root, file), ENTRIES_PER_LIST_MAX)
    return NameList(name=name, entries=entries)


def _united_nations(root: Element, file: str) -> Entries:
    parts = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
    for group, tag, kind in (
        ("INDIVIDUALS", "INDIVIDUAL", ListedKind.PERSON),
        ("ENTITIES", "ENTITY", ListedKind.ORGANISATION),
    ):
        for one in root.all(group, tag):
            whole = " ".join(text for part in parts for text in one.texts(part))
            names = [
                whole,
                *one.texts("NAME_ORIGINAL_SCRIPT"),
                *one.texts(f"{tag}_ALIAS", "ALIAS_NAME"),
            ]
            born = [
                text
                for field in ("YEAR", "DATE", "FROM_YEAR", "TO_YEAR")
                for text in one.texts(f"{tag}_DATE_OF_BIRTH", field)
            ]
            yield _entry(file, one, one.first("DATAID"), kind, names, born)


_SDN_KINDS = {
    "individual": ListedKind.PERSON,
    "entity": ListedKind.ORGANISATION,
    "vessel": ListedKind.VESSEL,
}


def _ofac(root: Element, file: str) -> Entries:
    for one in root.all("sdnEntry"):
        kind = _SDN_KINDS.get(one.first("sdnType").lower(), ListedKind.UNKNOWN)
        names = [_first_last(one), *(_first_last(aka) for aka in one.all("akaList", "aka"))]
        born = one.texts("dateOfBirthList", "dateOfBirthItem", "dateOfBirth")
        yield _entry(file, one, one.first("uid"), kind, names, born)


def _first_last(one: Element) -> str:
    return " ".join([*one.texts("firstName"), *one.texts("lastName")])


_EU_KINDS = {
    "person": ListedKind.PERSON,
    "p": ListedKind.PERSON,
    "enterprise": ListedKind.ORGANISATION,
    "e": ListedKind.ORGANISATION,
}


def _european_union(root: Element, file: str) -> Entries:
    for one in root.all("sanctionEntity"):
        said = [
            subject.attributes.get("code", subject.attributes.get("classificationCode", ""))
            for subject in one.all("subjectType")
        ]
        kind = _EU_KINDS.get("".join(said[:1]).lower(), ListedKind.UNKNOWN)
        names = [alias.attributes.get("wholeName", "") for alias in one.all("nameAlias")]
        born = [
            birth.attributes.get("year") or birth.attributes.get("birthdate", "")
            for birth in one.all("birthdate")
        ]
        yield _entry(file, one, one.attributes.get("logicalId", ""), kind, names, born)


_UK_KINDS = {
    "individual": ListedKind.PERSON,
    "entity": ListedKind.ORGANISATION,
    "ship": ListedKind.VESSEL,
}


def _united_kingdom(root: Element, file: str) -> Entries:
    parts = ("Name1", "Name2", "Name3", "Name4", "Name5", "Name6")
    for one in root.all("Designation"):
        kind = _UK_KINDS.get(one.first("IndividualEntityShip").lower(), ListedKind.UNKNOWN)
        names = [
            " ".join(text for part in parts for text in name.texts(part))
            for name in one.all("Names", "Name")
        ]
        names += one.texts("NonLatinNames", "NonLatinName", "NameNonLatinScript")
        born = one.texts("IndividualDetails", "Individual", "DOBs", "DOB")
        yield _entry(file, one, one.first("UniqueID"), kind, names, born)


def _entry(
    file: str, one: Element, entry_id: str, kind: ListedKind, names: list[str], born: list[str]
) -> tuple[int, Listed]:
    kept = tuple(dict.fromkeys(name for name in names if name))
    if not entry_id:
        raise list_invalid(file, one.line, f"{one.tag} has no id", f"{one.tag} 没有编号")
    if len(kept) > NAMES_PER_ENTRY_MAX:
        en, zh = f"more than {NAMES_PER_ENTRY_MAX} names", f"名称超过 {NAMES_PER_ENTRY_MAX} 个"
        raise list_invalid(file, one.line, en, zh)
    years = tuple(sorted({int(year) for text in born for year in _YEAR.findall(text)}))
    return one.line, Listed(entry_id=entry_id, kind=kind, names=kept, born=years)


READERS: Mapping[str, Callable[[Element, str], Entries]] = {
    "CONSOLIDATED_LIST": _united_nations,
    "sdnList": _ofac,
    "export": _european_union,
    "Designations": _united_kingdom,
}
