"""Names that a capture's DNS answers gave, each once, with bounded memory."""

from __future__ import annotations

from typing import NamedTuple

from kubectl_netpolgen.model.flow import NameAnswer
from kubectl_netpolgen.model.network import Address, address_order
from kubectl_netpolgen.packets.dns import read_message

MOST_ANSWERS = 50_000
_MOST_REMEMBERED = 8192
_LONGEST_REMEMBERED = 1232
"""Bytes; the EDNS size that resolvers agree on (DNS flag day 2020)."""


class Heard(NamedTuple):
    """What a DNS payload was about."""

    response: bool
    key: str
    """Transaction id and name: the same at both ends of a translated conversation."""


class Names:
    """Collects (name, address, CNAMEs) with the earliest time each was heard."""

    def __init__(self, *, most: int = MOST_ANSWERS) -> None:
        self._most = most
        self._answers: dict[tuple[str, Address, tuple[str, ...]], int] = {}
        # Clients ask the same few questions over and over: payloads without their id, already read.
        self._read: dict[bytes, tuple[bool, str, tuple[tuple[Address, tuple[str, ...]], ...]] | None] = {}
        self.overflowed = False

    def hear(self, payload: bytes, time: int) -> Heard | None:
        """Read one UDP payload from or to a DNS port; None when it is no DNS."""
        rest = payload[2:]
        if rest in self._read:
            known = self._read[rest]
        else:
            message = read_message(payload)
            known = None if message is None else (message.response, message.name, message.answers)
            if len(rest) <= _LONGEST_REMEMBERED:
                if len(self._read) >= _MOST_REMEMBERED:
                    self._read.clear()
                self._read[rest] = known
        if known is None:
            return None
        response, name, answers = known
        for address, via in answers:
            self._note((name, address, via), time)
        return Heard(response, f"d{payload[0]:02x}{payload[1]:02x}:{name}")

    def _note(self, answer: tuple[str, Address, tuple[str, ...]], time: int) -> None:
        known = self._answers.get(answer)
        if known is None:
            if len(self._answers) >= self._most:
                self.overflowed = True
                return
            self._answers[answer] = time
        elif time < known:
            self._answers[answer] = time

    def collected(self) -> tuple[NameAnswer, ...]:
        """Every distinct answer, by name and address."""
        found = sorted(
            self._answers.items(), key=lambda item: (item[0][0], address_order(item[0][1]), item[0][2])
        )
        return tuple(NameAnswer(name, address, via, time, time) for (name, address, via), time in found)
