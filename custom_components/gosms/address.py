"""Which addresses a token may be sent to. Pure."""

from ipaddress import IPv4Address, IPv6Address, ip_address
import re
from typing import Final
import unicodedata

from yarl import URL

_MAX_LENGTH: Final = 2000
_MAX_HOST: Final = 253

# Scheme, host and path, and nothing else: no user, query or fragment, not even an empty one. What a host is made of is
# narrower than what a URL permits, so that nothing in it is read in two ways.
_ADDRESS: Final = re.compile(
    r"https?://(?P<host>\[[0-9a-f:.]+\]|[\w-]{1,63}(\.[\w-]{1,63})*)(:(?P<port>[0-9]{1,5}))?(/[^?#\\\s]*)?",
    re.IGNORECASE,
)


def is_safe_address(address: str) -> bool:
    """Return whether an address is safe to send a token to: encrypted, or on this very machine.

    Its host must be the one that a person reads: of ASCII alone, or valid in IDNA and without letters of different
    scripts in one label.
    """
    if len(address) > _MAX_LENGTH or not address.isprintable() or not (typed := _ADDRESS.fullmatch(address)):
        return False
    try:
        url = URL(address)
        host, encoded = url.host or "", url.raw_host or ""
    except ValueError:
        # Among them a label of IDNA that can't be decoded, and a port that can't be one.
        return False
    if len(encoded) > _MAX_HOST or (typed["port"] and not url.port):
        return False
    ip = _ip_address(host)
    name = typed["host"].lower()
    is_as_read = ip if name.startswith("[") else name in {host, encoded} and all(map(_has_one_script, name.split(".")))
    is_loopback = ip.is_loopback if ip else host == "localhost"
    return bool(is_as_read) and (url.scheme == "https" or is_loopback)


def _has_one_script(label: str) -> bool:
    """Return whether the letters of a label of a host are of one script, so that none looks like another one."""
    # The name of a letter begins with its script.
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in label if char.isalpha() or not char.isascii()}
    return len(scripts) <= 1


def _ip_address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the IP address that a host is, or None."""
    try:
        return ip_address(host)
    except ValueError:
        return None
