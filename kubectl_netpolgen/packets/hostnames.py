"""Host names that clients write into TLS, QUIC and HTTP: hostile text, in the form of DNS names."""

from __future__ import annotations

import ipaddress

from kubectl_netpolgen.packets.dns import present_label

_LONGEST = 255
_CONTROLS = frozenset((*range(0x20), 0x7F))


def read_host_name(raw: bytes, *, addresses: bool = False) -> str | None:
    r"""The name in lower case without trailing dot, unprintable bytes as `\DDD`; None when it names no host.

    What is empty, longer than any DNS name or holds control characters is no name, nor is an address unless
    `addresses` lets it pass.
    """
    size = len(raw)
    if not 0 < size <= _LONGEST:
        return None
    text = raw.decode("latin-1").lower()
    if text[-1] == ".":
        text = text[:-1]
    if text.isascii() and text.replace(".", "").replace("-", "").replace("_", "").isalnum():
        if text[0] == "." or ".." in text or text[-1] == ".":
            return None
        return text if addresses or not text[-1].isdigit() or not _is_address(text) else None
    if not _CONTROLS.isdisjoint(raw):
        return None
    if ":" in text and _is_address(text.strip("[]")):
        return text if addresses else None
    labels = raw.removesuffix(b".").split(b".")
    return ".".join(map(present_label, labels)) if all(labels) else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
