"""Who asks by this machine's own name."""

import pytest

from transport.loopback import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8480", "[::1]", "[::1]:8480"])
def test_a_name_of_the_loopback_may_ask(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", ":8480", "evil.example", "evil.example:8480", "[::2]:80"])
def test_no_other_name_may(host: str) -> None:
    assert not is_loopback(host)
