"""Configuration files: what we write is what Python's own TOML reader reads."""

import string
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tillway.toml_text import toml_text

# Not from a regular expression: making its alphabets took ten times the test's time, at its first
# example, which Hypothesis refuses on a busy machine.
keys = st.tuples(
    st.sampled_from(string.ascii_lowercase),
    st.text(string.ascii_lowercase + string.digits + "_", max_size=10),
).map("".join)
texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x7f"))
scalars = st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts
values = scalars | st.lists(scalars | st.dictionaries(keys, scalars, max_size=2), max_size=3)
settings = st.dictionaries(keys, values | st.dictionaries(keys, values, max_size=3), max_size=5)


@given(settings)
def test_settings_survive_the_way_through_a_file(written: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(written)) == written
