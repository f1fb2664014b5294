"""Validation of the addresses that a token may be sent to. Pure."""

from ipaddress import IPv4Address, IPv6Address, ip_address
import re
from typing import Final
import unicodedata

from yarl import URL

_MAX_LENGTH: Final = 2000
_MAX_HOST: Final = 253

# Scheme, host, port and path, and nothing else: no user, query or fragment, not even an empty one. The characters of a
# host are limited more strictly than in a URL, so that all parsers find the same one.
_ADDRESS: Final = re.compile(
    r"https?://(?P<host>\[[0-9a-f:.]+\]|[\w-]{1,63}(\.[\w-]{1,63})*)(:(?P<port>[0-9]{1,5}))?(/[^?#\\\s]*)?",
    re.IGNORECASE,
)


def is_safe_address(address: str) -> bool:
    """Return whether a token can be sent to an address safely: encrypted, or within this machine.

    The host must be the one that a person sees: only ASCII, or valid in IDNA without letters of different scripts in
    one label.
    """
    if len(address) > _MAX_LENGTH or not address.isprintable() or not (typed := _ADDRESS.fullmatch(address)):
        return False
    try:
        url = URL(address)
        host, encoded = url.host or "", url.raw_host or ""
    except ValueError:
        # For example, a label is not valid in IDNA, or the port is out of range.
        return False
    if len(encoded) > _MAX_HOST or (typed["port"] and not url.port):
        return False
    ip = _ip_address(host)
    name = typed["host"].lower()
    is_as_seen = ip if name.startswith("[") else name in {host, encoded} and all(map(_has_one_script, name.split(".")))
    is_loopback = ip.is_loopback if ip else host == "localhost"
    return bool(is_as_seen) and (url.scheme == "https" or is_loopback)


def _has_one_script(label: str) -> bool:
    """Return whether all letters in a label of a host are of one script, so that none can imitate another letter."""
    # The name of a letter begins with its script.
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in label if char.isalpha() or not char.isascii()}
    return len(scripts) <= 1


def _ip_address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the host as an IP address, or None if it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None
