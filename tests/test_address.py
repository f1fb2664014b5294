"""Which addresses the token is sent to."""

import string
from typing import Final

from hypothesis import example, given, strategies as st
import pytest
from yarl import URL

from custom_components.gosms.address import is_safe_address

# What addresses are made of, so that many random texts are nearly one.
PIECES: Final = st.sampled_from(
    [
        *"https://",
        *"xn--.:@?#%[]/\\ \t\n\x00_",
        *"\u200b\u00a0\u0430\u0456\uff41\u00df\u0660",
        "http",
        "https://",
        "http://",
        "xn--",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "api.gosms.ru",
        ":8080",
        "/v1",
        "gosms",
        "\u0440\u0444",
    ]
)
TEXTS: Final = st.one_of(
    st.text(),
    st.text(string.printable),
    st.lists(PIECES).map("".join),
    st.lists(PIECES).map(lambda pieces: "https://" + "".join(pieces)),
    st.lists(PIECES).map(lambda pieces: "http://" + "".join(pieces)),
)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.gosms.ru/v1",
        "HTTPS://API.gosms.ru/v1",
        "https://api.gosms.ru",
        "https://api.gosms.ru:8443/some/way_to/v1.0",
        "https://192.168.1.2/v1",
        "https://[2001:db8::1]:8443/v1",
        "https://home_server.local/v1",
        "https://апи.рф/v1",
        "https://API.пример2-й.РФ/v1",
        "https://bücher.example/v1",
        "https://xn--80aqu.xn--p1ai/v1",
        "http://localhost/v1",
        "http://localhost:8080/v1",
        "http://127.0.0.1:8080/v1",
        "http://127.1.2.3/v1",
        "http://[::1]:8080/v1",
        "http://[0:0:0:0:0:0:0:1]/v1",
    ],
)
def test_an_address_is_safe_if_encrypted_or_on_this_machine(address: str) -> None:
    assert is_safe_address(address)


UNSAFE: Final = [
    "",
    " ",
    "api.gosms.ru/v1",
    "//api.gosms.ru/v1",
    "https:/api.gosms.ru/v1",
    "https://",
    "https:///v1",
    "https://:443/v1",
    # Not encrypted, and not this machine.
    "http://api.gosms.ru/v1",
    "http://192.168.1.2/v1",
    "http://localhost.evil/v1",
    "http://localhost./v1",
    "http://127.0.0.1.evil/v1",
    "http://127.1/v1",
    "http://2130706433/v1",
    "http://[2001:db8::1]/v1",
    "http://localhost%2eevil/v1",
    "ftp://127.0.0.1/v1",
    "javascript://127.0.0.1/v1",
    # Users.
    "https://user@api.gosms.ru/v1",
    "https://user:password@api.gosms.ru/v1",
    "https://@api.gosms.ru/v1",
    "https://:@api.gosms.ru/v1",
    "http://localhost@evil/v1",
    "http://localhost\\@evil/v1",
    # Queries and fragments, also empty ones.
    "https://api.gosms.ru/v1?key=value",
    "https://api.gosms.ru/v1?",
    "https://api.gosms.ru?",
    "https://api.gosms.ru/v1#part",
    "https://api.gosms.ru/v1#",
    # Ports.
    "https://api.gosms.ru:port/v1",
    "https://api.gosms.ru:99999/v1",
    "https://api.gosms.ru:0/v1",
    "https://api.gosms.ru:/v1",
    "https://api.gosms.ru:-1/v1",
    "https://api.gosms.ru:443:443/v1",
    "https://api.gosms.ru:４４３/v1",
    # Hosts.
    "https://[::1/v1",
    "https://::1/v1",
    "https://[::1.2.3]/v1",
    "https://[fe80::1%25eth0]/v1",
    "https://[v1.host]/v1",
    "https://api..gosms.ru/v1",
    "https://.gosms.ru/v1",
    "https://api.gosms.ru./v1",
    f"https://{'a' * 64}.ru/v1",
    f"https://{'a.' * 200}ru/v1",
    "https://api%2egosms.ru/v1",
    "https://api.gosms.ru\\v1",
    # What claims to be IDNA and is not.
    "https://xn--/v1",
    "https://xn--a/v1",
    "https://xn--zzzzzzzz/v1",
    "https://xn--ASCII-.ru/v1",
    # What a person reads as another host: letters of two scripts, and letters that stand for others.
    "https://аpi.gosms.ru/v1",
    "https://api.gоsms.ru/v1",
    "https://αpi.gosms.ru/v1",
    "https://ａpi.gosms.ru/v1",
    "https://ａｐｉ.gosms.ru/v1",
    "https://api。gosms.ru/v1",
    "http://ⓛocalhost/v1",
    "https://ﬁnance.example/v1",
    # White space, and what nobody sees.
    "https://api.gosms.ru/v1 ",
    "https://api.gosms.ru/v 1",
    "https://api gosms.ru/v1",
    "https://api.gosms.ru\t/v1",
    "https://api.gosms.ru/v1\n",
    "https://api.gosms.ru\r\nHost: evil/v1",
    "https://api.gosms.ru\x00/v1",
    "https://api.gosms.ru/v1\u00a0",
    "https://api.go\u200bsms.ru/v1",
    "https://api.gosms.ru/\u202e1v",
    "\ufeffhttps://api.gosms.ru/v1",
    "https://api.gosms.ru/\ud800",
    f"https://api.gosms.ru/{'v' * 5000}",
]


@pytest.mark.parametrize("address", UNSAFE)
def test_an_address_that_would_give_the_token_away_is_not_safe(address: str) -> None:
    assert not is_safe_address(address)


@given(TEXTS)
@example("https://xn--/v1")
def test_what_is_taken_for_an_address_is_one(text: str) -> None:
    # Whatever the text, there is an answer.
    safe = [URL(text)] if is_safe_address(text) else []
    for url in safe:
        assert url.scheme == "https" or url.host in {"localhost", "::1", "127.0.0.1"}
        assert (url.user, url.password, url.query_string, url.fragment) == (None, None, "", "")
        assert not {"?", "#"} & set(text)
        assert str(url / "sms").endswith("/sms")
