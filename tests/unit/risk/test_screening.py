"""Names against lists: what is found, what is not, and lists that are refused."""

import csv
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from backend.risk.aml.screening.base import index_of_change
from backend.risk.aml.screening.csv_lists import parse_csv_list
from backend.risk.aml.screening.files import read_list, read_people
from backend.risk.aml.screening.index import NameIndex
from backend.risk.aml.screening.model import Listed, ListedKind, NameList, Person
from backend.risk.aml.screening.names import forms
from backend.risk.aml.screening.xml_lists import parse_xml_list
from protocol.errors import CallerError
from tillway.risk.cli import app

NAMES = {
    "1": ("Ivan Sergeyevich Petrov", "Иван Петров"),
    "2": ("張三豐",),
    "3": ("Li Na",),
    "4": ("Bright Ocean Shipping Co., Ltd.",),
    "5": ("José Núñez Ibáñez", "El Carpintero"),
    "6": ("单雄信",),
    "7": ("Abd al-Rahman Muhammad Yasin",),
    "8": ("臺灣遠洋貿易有限公司",),
}


def listed(entry_id: str, *names: str, **more: object) -> Listed:
    return Listed(**{"entry_id": entry_id, "kind": ListedKind.UNKNOWN, "names": names} | more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def index() -> NameIndex:
    entries = tuple(listed(entry_id, *names) for entry_id, names in NAMES.items())
    return NameIndex([NameList(name="test", entries=entries)])


@pytest.mark.parametrize(
    ("asked", "entry_id", "reason"),
    [
        ("ivan sergeyevich PETROV", "1", "same name"),
        ("PETROV, Ivan Sergeyevich", "1", "other order"),
        ("Ivan Sergeevich Petrov", "1", "similar spelling"),
        ("Ivan Petrov", "1", "part of the name"),
        ("иван петров", "1", "same name"),
        ("张三丰", "2", "same characters"),
        ("張三丰", "2", "same characters"),
        ("Zhang Sanfeng", "2", "pinyin, other spaces"),
        ("San-Feng ZHANG", "2", "pinyin, other order"),
        ("SANFENG ZHANG", "2", "pinyin, other spaces"),
        ("章三峰", "2", "pinyin, same name"),
        ("Na LI", "3", "other order"),
        ("Lina", "3", "other spaces"),
        ("李娜", "3", "pinyin, same name"),
        ("BRIGHT OCEAN SHIPPING LIMITED", "4", "same name"),
        ("Jose Nunez Ibanez", "5", "same name"),
        ("el carpintero", "5", "same name"),
        ("Shan Xiongxin", "6", "pinyin, other spaces"),
        ("Dan Xiongxin", "6", "pinyin, other spaces"),
        ("XIONGXIN DAN", "6", "pinyin, other spaces"),
        ("Abdul Rahman Mohammad Yasin", "7", "similar spelling"),
        ("Abd alRahman Muhammad Yasin", "7", "other spaces"),
        ("台湾远洋贸易", "8", "same characters"),
        ("台湾远洋贸易公司", "8", "same characters"),
    ],
)
def test_one_name_is_found_however_it_is_written(
    index: NameIndex, asked: str, entry_id: str, reason: str
) -> None:
    [hit] = index.screen(Person(name=asked))
    assert (hit.entry_id, hit.reasons) == (entry_id, (reason,))
    assert hit.score == 1.0 or reason not in {"same name", "other order", "same characters"}


@pytest.mark.parametrize(
    "asked",
    [
        "Wang Wei",
        "王伟",
        "丹雄",
        "Dan Xiong",
        "Ocean",
        "Peter Schmidt",
        "张三",
        "Na",
        "Shipping Co Ltd",
        "",
        "!?",
    ],
)
def test_another_name_is_not_found(index: NameIndex, asked: str) -> None:
    assert index.screen(Person(name=asked)) == []


def test_what_is_known_of_a_person_takes_hits_away_or_says_so() -> None:
    entry = listed("9", "Ivan Petrov", kind=ListedKind.PERSON, born=(1960,))
    index = NameIndex([NameList(name="test", entries=(entry,))])

    def asked(**known: object) -> list[tuple[float, tuple[str, ...]]]:
        person = Person(name="Ivan Petrov", **known)  # type: ignore[arg-type]
        return [(hit.score, hit.reasons) for hit in index.screen(person, hit_from=0.8)]

    assert asked(born=1961) == [(1.0, ("same name", "born in the same year"))]
    assert asked(born=1985) == [(0.85, ("same name", "born in 1960"))]
    assert asked(kind=ListedKind.PERSON) == [(1.0, ("same name",))]
    assert asked(kind=ListedKind.VESSEL) == [(0.85, ("same name", "kind is person"))]
    assert asked(kind=ListedKind.VESSEL, born=1985) == []


WORD = st.text("abcdefghijklmnoprstuvwyz", min_size=4, max_size=8)


@settings(max_examples=60)
@given(st.lists(WORD, min_size=2, max_size=4, unique=True), st.randoms(use_true_random=False))
def test_shuffled_words_and_one_letter_more_or_less_are_found(
    words: list[str], luck: random.Random
) -> None:
    others = tuple(listed(f"o{n}", f"Nobody Else {n}") for n in range(3))
    index = NameIndex([NameList(name="t", entries=(listed("1", " ".join(words)), *others))])
    shuffled = luck.sample(words, len(words))
    assert [hit.entry_id for hit in index.screen(Person(name=" ".join(shuffled)))] == ["1"]
    name = " ".join(words)
    at = luck.randrange(len(name))
    for changed in (name[:at] + name[at + 1 :], name[:at] + "x" + name[at:]):
        assert "1" in [hit.entry_id for hit in index.screen(Person(name=changed))]


@given(st.text(max_size=40))
def test_any_text_has_forms_or_none(text: str) -> None:
    assert all(form.squeezed and form.tokens for form in forms(text))


UN = """<?xml version="1.0"?><CONSOLIDATED_LIST dateGenerated="2026-11-01"><INDIVIDUALS><INDIVIDUAL>
<DATAID>690</DATAID><FIRST_NAME>ZHANG</FIRST_NAME><SECOND_NAME>SANFENG</SECOND_NAME>
<NAME_ORIGINAL_SCRIPT>張三豐</NAME_ORIGINAL_SCRIPT>
<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Junbao</ALIAS_NAME></INDIVIDUAL_ALIAS>
<INDIVIDUAL_ALIAS><QUALITY/><ALIAS_NAME/></INDIVIDUAL_ALIAS>
<INDIVIDUAL_DATE_OF_BIRTH><YEAR>1947</YEAR></INDIVIDUAL_DATE_OF_BIRTH></INDIVIDUAL></INDIVIDUALS>
<ENTITIES><ENTITY><DATAID>7</DATAID><FIRST_NAME>BRIGHT OCEAN</FIRST_NAME></ENTITY></ENTITIES>
</CONSOLIDATED_LIST>"""
OFAC = """<sdnList xmlns="https://example.org/sdn"><sdnEntry><uid>36</uid><firstName>Sanfeng</firstName>
<lastName>ZHANG</lastName><sdnType>Individual</sdnType><akaList><aka><uid>1</uid>
<lastName>Junbao</lastName></aka></akaList><dateOfBirthList><dateOfBirthItem>
<dateOfBirth>circa 1947</dateOfBirth></dateOfBirthItem></dateOfBirthList></sdnEntry></sdnList>"""
EU = """<export xmlns="http://example.org/fsd"><sanctionEntity logicalId="13">
<subjectType code="person" classificationCode="P"/><nameAlias wholeName="Zhang Sanfeng"/>
<nameAlias wholeName="Junbao"/><birthdate year="1947"/></sanctionEntity></export>"""
UK = """<Designations><Designation><UniqueID>AFG1</UniqueID><Names><Name><Name6>ZHANG</Name6>
<Name1>Sanfeng</Name1></Name><Name><Name6>Junbao</Name6></Name></Names>
<IndividualEntityShip>Individual</IndividualEntityShip><IndividualDetails><Individual><DOBs>
<DOB>dd/mm/1947</DOB></DOBs></Individual></IndividualDetails></Designation></Designations>"""
SDN = (
    '36,"ZHANG, Sanfeng","individual","X",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    "\"DOB 10 Dec 1947; a.k.a. 'Junbao'; nationality China.\"\r\n\x1a"
)
PLAIN = "entry_id,name,kind,aliases,born\n36,Zhang Sanfeng,person,Junbao;张君宝,1947\n"


@pytest.mark.parametrize("text", [UN, OFAC, EU, UK], ids=["un", "ofac", "eu", "uk"])
def test_a_published_xml_is_read(text: str) -> None:
    check(parse_xml_list(text.encode(), file="list.xml", name="list"))


@pytest.mark.parametrize("text", [SDN, PLAIN], ids=["sdn", "plain"])
def test_a_csv_is_read(text: str) -> None:
    check(parse_csv_list(text.encode(), file="list.csv", name="list"))


def check(found: NameList) -> None:
    entry = found.entries[0]
    assert (entry.kind, entry.born) == (ListedKind.PERSON, (1947,))
    index = NameIndex([found])
    for asked in ("Zhang Sanfeng", "junbao"):
        [hit] = index.screen(Person(name=asked))
        assert (hit.entry_id, hit.score) == (entry.entry_id, 1.0)


BOMB = (
    '<?xml version="1.0"?>\n<!DOCTYPE a [\n<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n'
    "<CONSOLIDATED_LIST>&b;</CONSOLIDATED_LIST>"
)
OUTSIDE = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><CONSOLIDATED_LIST/>'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BOMB, "line 2: declares a type"),
        (OUTSIDE, "line 1: declares a type"),
        ("<CONSOLIDATED_LIST>\n<x>", "line 2: no element found"),
        ("<page/>", "the root is page"),
        ("<export>\n<sanctionEntity/></export>", "line 2: sanctionEntity has no id"),
        ('<export><sanctionEntity logicalId="1"/></export>', "entry 1 has no name"),
        ("<a>" * 40 + "</a>" * 40, "elements deep"),
    ],
)
def test_hostile_or_broken_xml_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(CallerError, match=told) as refused:
        parse_xml_list(text.encode(), file="list.xml", name="list")
    assert re.match("list.xml：第 [0-9]+ 行：", refused.value.detail_zh)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("entry_id,name\n1,a\n1,b\n", "line 3: entry 1 is there twice"),
        ("entry_id,name\n1,a\n2\n", "line 3: 1 columns"),
        ("entry_id,name,kind\n1,a,ghost\n", "line 2: the kind 'ghost'"),
        ("entry_id,name,born\n1,a,19x\n", "line 2: born '19x' is no year"),
        ("entry_id,name,born\n1,a,1961;²\n", "line 2: born '²' is no year"),
        ("entry_id,name\n,a\n", "line 2: the id or the name is missing"),
        ("entry_id,name,colour\n", "line 1: the head"),
        ("name,entry\n", "line 1: 2 columns that begin with 'name'"),
        (SDN.replace("individual", "ghost"), "line 1: the type 'ghost'"),
        ('entry_id,name\n1,"a\n', "unexpected end of data"),
    ],
)
def test_a_bad_row_of_a_list_is_named(text: str, told: str) -> None:
    with pytest.raises(CallerError, match=told) as refused:
        parse_csv_list(text.encode(), file="list.csv", name="list")
    assert re.match("list.csv：第 [0-9]+ 行：", refused.value.detail_zh)


def test_a_list_that_is_no_text_is_refused() -> None:
    with pytest.raises(CallerError, match="line 2: is not UTF-8") as refused:
        parse_csv_list(b"entry_id,name\n1,\xff\n", file="list.csv", name="list")
    assert refused.value.detail_zh == "list.csv：第 2 行：不是 UTF-8 编码"


def test_a_file_that_is_no_list_is_refused_in_both_languages(tmp_path: Path) -> None:
    paper, base = tmp_path / "list.pdf", tmp_path / "base.csv"
    paper.write_bytes(b"%PDF")
    with pytest.raises(CallerError, match=r"must end in \.xml or \.csv") as refused:
        read_list(paper)
    assert refused.value.detail_zh == "list.pdf：第 1 行：文件名须以 .xml 或 .csv 结尾"
    base.write_text("id,name,kind\n1,a,ghost\n")
    with pytest.raises(CallerError, match="the kind 'ghost' is unknown") as refused:
        read_people(base)
    assert refused.value.detail_zh == "base.csv：第 2 行：不认识类别 'ghost'"


def test_a_list_change_is_screened_by_what_is_new() -> None:
    before = NameList(name="l", entries=(listed("1", "Ivan Petrov"), listed("2", "Old Name")))
    after = NameList(
        name="l", entries=(listed("1", "Ivan Petrov", "Vanya"), listed("3", "Li Xiaoming"))
    )
    index, change = index_of_change(before, after)
    assert [entry.entry_id for entry in change.added] == ["3"]
    assert [entry.entry_id for entry in change.changed] == ["1"]
    assert change.dropped == ("2",)
    assert [hit.entry_id for hit in index.screen(Person(name="李小明"))] == ["3"]


def test_the_command_writes_hits_and_tells_what_was_dropped(tmp_path: Path) -> None:
    old, new, names, out = (tmp_path / one for one in ("a.csv", "b.csv", "names.csv", "hits.csv"))
    old.write_text("entry_id,name\n1,Ivan Petrov\n2,Gone Away\n", "utf-8")
    new.write_text("entry_id,name\n1,Ivan Petrov\n3,Li Xiaoming\n", "utf-8")
    names.write_text("id,name,kind,born\nc1,李小明,person,\nc2,Petrov Ivan,,1960\n", "utf-8")
    common = ["screen", "--list", str(new), "--names", str(names), "--out", str(out)]
    assert CliRunner().invoke(app, common).exit_code == 0
    with out.open(encoding="utf-8") as file:
        rows = [(row["id"], row["list"], row["entry_id"]) for row in csv.DictReader(file)]
    assert rows == [("c1", "b", "3"), ("c2", "b", "1")]
    changed = CliRunner().invoke(app, [*common, "--before", str(old)])
    assert "dropped: 2" in changed.output
    assert "1 hits against 1 entries" in changed.output
    twice = CliRunner().invoke(app, [*common, "--list", str(old), "--before", str(old)])
    assert isinstance(twice.exception, CallerError)
    assert "只能配一个 --list" in twice.exception.detail_zh


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (("screen", "--list", "l.csv", "--names", "n.csv"), ("l.csv", "n.csv")),
        (("evaluate", "--transactions", "t.csv", "--labels", "f.csv", "--from-day", "9",
          "--to-day", "9"), ("t.csv", "f.csv")),
        (("aml", "--transfers", "t.csv", "--labels-until-day", "5", "--from-day", "6"),
         ("t.csv",)),
        (("large-value", "--transfers", "t.csv", "--rates", "r.csv"), ("t.csv", "r.csv")),
    ],
)  # fmt: skip
def test_no_command_writes_over_what_it_reads(
    words: tuple[str, ...], read: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in read:
        Path(name).write_text("as it was")
    for name in read:
        ended = CliRunner().invoke(app, [*words, "--out", name])
        assert isinstance(ended.exception, CallerError)
        assert (ended.exception.code, ended.exception.detail_zh) == (
            "table_invalid",
            f"{name}：不能覆盖输入文件",
        )
        assert Path(name).read_text() == "as it was"
