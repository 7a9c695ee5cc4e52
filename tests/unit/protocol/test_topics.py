"""Topics: one device, one branch; names that could reach another branch are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import CallerError
from protocol.topics import (
    KINDS,
    TopicName,
    hub_state_topic,
    is_name,
    parse_topic,
    reply_address,
    terminal_topic,
)

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)


@given(names, names, st.sampled_from(sorted(KINDS)))
def test_a_topic_is_taken_apart_into_what_it_was_made_from(store: str, tid: str, kind: str) -> None:
    topic = terminal_topic(store, tid, kind)  # type: ignore[arg-type]
    assert parse_topic(topic) == TopicName(store, tid, kind)


def test_the_hub_speaks_on_its_own_branch() -> None:
    assert parse_topic(hub_state_topic("s1")) == TopicName("s1", "", "state")
    assert parse_topic(hub_state_topic("s1")).is_hub


@pytest.mark.parametrize("name", ["", "+", "#", "a/b", "a b", "a\x00", "é", "-a", "x" * 65, "a\n"])
def test_a_name_with_separators_wildcards_or_odd_letters_is_no_name(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(CallerError):
        terminal_topic("s1", name, "req")


@given(st.text(max_size=80))
def test_any_other_text_is_refused_and_never_crashes(text: str) -> None:
    parts = text.split("/")
    wanted = len(parts) == 5 and parts[0] == "tw1" and parts[2] == "t" and parts[4] in KINDS
    if wanted and is_name(parts[1]) and is_name(parts[3]):
        assert parse_topic(text) == TopicName(parts[1], parts[3], parts[4])
    elif text != f"tw1/{parts[1] if len(parts) > 1 else ''}/hub/state":
        with pytest.raises(CallerError) as caught:
            parse_topic(text)
        assert caught.value.code == "field_invalid"


def test_a_reply_address_names_its_device_on_either_transport() -> None:
    assert reply_address("s1", "pos-1", "mqtt") == "tw1/s1/t/pos-1/res"
    assert reply_address("s1", "pos-1", "coap") == "coap:pos-1"
