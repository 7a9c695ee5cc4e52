"""Tables that a phone shows as cards: every cell knows its column's name and keeps its role."""

import re
from pathlib import Path

import pytest

from faces.cards import labelled

HEADS = (
    '<thead><tr><th scope="col">Time</th>'
    '<th scope="col" class="number">Paid &amp; &#34;net&#34;</th>'
    '<th scope="col"><span class="visually-hidden">Close</span></th></tr></thead>'
)
TEMPLATES = [
    *Path("backend/console/templates").rglob("*.html"),
    *Path("backend/wallet_page/templates").rglob("*.html"),
    *Path("tillway/front/templates").rglob("*.html"),
]
"""Of the faces that are looked at on a phone."""


def body(row: str) -> str:
    made = labelled(f"{HEADS}<tbody><tr>{row}</tr></tbody>")
    return re.sub(r".*<tbody[^>]*>", "", made).removesuffix("</tr></tbody>")


def test_each_cell_has_its_column_s_name_and_its_role() -> None:
    made = body('<td class="when">12:00</td><td>1</td><td>x</td>')
    assert made == (
        '<tr role=row><td class="when" role=cell data-label="Time">12:00</td>'
        '<td role=cell data-label="Paid &amp; &#34;net&#34;">1</td><td role=cell>x</td>'
    )


def test_a_cell_over_several_columns_has_all_their_names() -> None:
    made = body('<td colspan="2">not ready</td><td>x</td>')
    assert 'data-label="Time · Paid &amp; &#34;net&#34;">not ready' in made
    assert "<td role=cell>x</td>" in made


def test_each_row_begins_at_the_first_column_and_may_have_a_head_of_its_own() -> None:
    made = body('<td>1</td></tr><tr><th scope="row">2</th><td>3</td>')
    assert made.count('data-label="Time"') == 2
    assert '<th scope="row" role=rowheader data-label="Time">2</th>' in made


def test_heads_keep_their_roles_and_get_no_label() -> None:
    head = labelled(f"{HEADS}<tbody></tbody>").partition("<tbody")[0]
    assert head.count("role=columnheader") == 3
    assert head.startswith("<thead role=rowgroup><tr role=row>")
    assert "data-label" not in head


@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_no_page_for_a_phone_has_a_table_that_is_not_made_there(template: Path) -> None:
    assert "<table" not in template.read_text("utf-8"), "use parts.table"
