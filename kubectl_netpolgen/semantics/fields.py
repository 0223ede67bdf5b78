"""Fields of documents with the type that they must have; what is another thing is refused by its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubectl_netpolgen.model.network import Protocol

LONGEST_TEXT = 1024
"""No text that we read of an object may be longer: names end at 253 characters, label keys at 317."""
LONGEST_ANNOTATION = 256 * 1024
"""What all annotations of an object may come to (apimachinery api/validation TotalAnnotationSizeLimitB)."""
_SHOWN = 40


class Fields:
    """One map of a document, with the way that led to it.

    The API server keeps the types, so whatever breaks them comes from a damaged file, and a guess at what it
    once was would be a guess about who may talk to whom. A field that is null is one that is missing.
    """

    def __init__(self, document: Any, path: str = "") -> None:
        if not isinstance(document, Mapping):
            raise ValueError(f"{path or 'it'}: {shown(document)} is no map")
        self.document: Mapping[Any, Any] = document
        self._path = path

    def path(self, key: str) -> str:
        """Where a field stands, as a person would write it."""
        return f"{self._path}.{key}" if self._path else key

    def text(self, key: str, default: str | None = None) -> str:
        """A string; ValueError when it is missing without a default, is none, or is beyond all measure."""
        value = self.document.get(key)
        if value is None and default is not None:
            return default
        return _text(value, self.path(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings, empty when missing."""
        return tuple(_text(value, f"{self.path(key)}[{number}]") for number, value in self._list(key))

    def number(self, key: str, default: int | None = None, *, least: int = 0, most: int = 65535) -> int:
        """A whole number in a range, by default a port's."""
        value = self.document.get(key)
        if value is None and default is not None:
            return default
        if value is None:
            raise ValueError(f"{self.path(key)}: missing")
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"{self.path(key)}: {shown(value)} is no number from {least} to {most}")
        return value

    def port(self, key: str) -> int:
        """A port's number; 0 is none."""
        return self.number(key, least=1)

    def port_or_name(self, key: str) -> int | str | None:
        """A port's number or its name, None when missing."""
        value = self.document.get(key)
        if isinstance(value, str):
            return self.text(key)
        return None if value is None else self.port(key)

    def protocol(self) -> Protocol:
        """The field `protocol`, TCP when missing or empty."""
        value = self.text("protocol", "") or Protocol.TCP.value
        try:
            return Protocol(value)
        except ValueError as error:
            raise ValueError(f"{self.path('protocol')}: {shown(value)} is none that we know") from error

    def flag(self, key: str) -> bool:
        """True or false, false when missing."""
        value = self.document.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise ValueError(f"{self.path(key)}: {shown(value)} is neither true nor false")

    def map(self, key: str) -> Fields:
        """A map below this one, empty when missing."""
        value = self.document.get(key)
        return Fields({} if value is None else value, self.path(key))

    def maps(self, key: str) -> tuple[Fields, ...]:
        """A list of maps, empty when missing."""
        return tuple(Fields(value, f"{self.path(key)}[{number}]") for number, value in self._list(key))

    def labels(self, key: str = "labels") -> dict[str, str]:
        """A map of strings to strings, empty when missing."""
        below = self.map(key)
        return {_text(name, below.path(str(name)[:_SHOWN])): below.text(name, "") for name in below.document}

    def annotations(self) -> dict[str, str]:
        """The annotations of metadata: as labels, and as long as tools write them."""
        below = self.map("annotations")
        return {
            _text(name, below.path(str(name)[:_SHOWN])): _text(
                "" if value is None else value, below.path(str(name)[:_SHOWN]), LONGEST_ANNOTATION
            )
            for name, value in below.document.items()
        }

    def _list(self, key: str) -> enumerate[Any]:
        value = self.document.get(key)
        if value is None:
            return enumerate(())
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{self.path(key)}: {shown(value)} is no list")
        return enumerate(value)


def _text(value: Any, path: str, longest: int = LONGEST_TEXT) -> str:
    if value is None:
        raise ValueError(f"{path}: missing")
    if not isinstance(value, str):
        raise ValueError(f"{path}: {shown(value)} is no text")
    if len(value) > longest:
        raise ValueError(f"{path}: {len(value)} characters are more than any such field has")
    return value


def shown(value: Any) -> str:
    """A value in a message: short, and of what may be nested without end its kind alone."""
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, int) and abs(value) > 10**_SHOWN:
        # Python refuses to print numbers of thousands of digits
        return "a number beyond all measure"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
