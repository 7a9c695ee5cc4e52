"""JUnit XML, as CI systems read it (the schema of Jenkins' xunit plugin)."""

import re
from xml.etree import ElementTree as ET

from firmware_sim.reports.report import Case, Report, Verdict

_NOT_XML = re.compile("[^\\t\\n\\r -\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_ELEMENTS = {Verdict.FAILED: "failure", Verdict.ERROR: "error", Verdict.SKIPPED: "skipped"}


def to_junit(report: Report) -> bytes:
    """The file's bytes, UTF-8."""
    suite = ET.Element(
        "testsuite", name=_clean(report.title), tests=str(len(report.cases)),
        failures=str(report.count(Verdict.FAILED)), errors=str(report.count(Verdict.ERROR)),
        skipped=str(report.count(Verdict.SKIPPED)), time=f"{report.seconds:.3f}",
    )  # fmt: skip
    facts = ET.SubElement(suite, "properties")
    for name, value in report.facts.items():
        ET.SubElement(facts, "property", name=name, value=_clean(value))
    for case in report.cases:
        suite.append(_case(case, report.title))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _case(case: Case, suite: str) -> ET.Element:
    found = ET.Element(
        "testcase",
        name=_clean(case.name),
        classname=_clean(suite.replace(" ", ".")),
        time=f"{case.seconds:.3f}",
    )
    if case.verdict in _ELEMENTS:
        why = ET.SubElement(found, _ELEMENTS[case.verdict], message=_clean(case.reason))
        why.text = _clean("\n".join([case.title, case.where, *case.lines]).strip())
    return found


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot carry."""
    return _NOT_XML.sub("?", text)
