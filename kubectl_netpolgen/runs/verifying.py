"""Flows judged one line after the other: memory does not grow with the lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kubectl_netpolgen.documents.json_text import NotJson, dump_line, load_line
from kubectl_netpolgen.model.errors import InvalidManifest
from kubectl_netpolgen.output.verdicts import VerdictText
from kubectl_netpolgen.runs.flow_lines import Asked, asked_of
from kubectl_netpolgen.semantics.judge import Judge
from kubectl_netpolgen.semantics.verdicts import Decision, Verdict

_REMEMBERED = 1 << 19
"""Distinct flows; then what is known is forgotten, and found again."""
_UNLIKE = object()


@dataclass
class Tally:
    """How many flows came to what."""

    count: Counter[Decision] = field(default_factory=Counter)

    @property
    def all_allowed(self) -> bool:
        """No flow came to anything else."""
        return all(decision is Decision.ALLOWED for decision, number in self.count.items() if number)


@dataclass(frozen=True)
class Judged:
    """A flow of a line, with its verdict."""

    name: str
    verdict: Verdict


class Verifying:
    """Judges the lines of a file."""

    def __init__(self, judge: Judge, *, where: str, brief: bool) -> None:
        self._judge = judge
        self._where = where
        self._text = VerdictText(brief=brief)
        self._brief = brief
        self._known: dict[object, tuple[str, Verdict]] = {}
        self.tally = Tally()

    def texts(self, lines: Iterable[str]) -> Iterator[str]:
        """Each line's item as JSON; InvalidManifest names the line that asks nothing."""
        known, count = self._known, dict.fromkeys(Decision, 0)
        number = 0
        try:
            for number, line in enumerate(lines, 1):
                try:
                    item = load_line(line)
                except NotJson as error:
                    if not line.strip():
                        continue
                    raise self._wrong(number, f"is no JSON: {error}") from error
                text, verdict = known.get(_key(item)) or self._first(item, number)
                count[verdict.decision] += 1
                name = item.get("id")
                if name is None:
                    yield f'{{"id":"{number}",{text}'
                else:
                    yield f'{{"id":{dump_line(name) if type(name) is not str else _quoted(name)},{text}'
        finally:
            self.tally.count.update(count)

    def verdicts(self, lines: Iterable[str]) -> Iterator[Judged]:
        """Each line's verdict."""
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    item = load_line(line)
                except NotJson as error:
                    raise self._wrong(number, f"is no JSON: {error}") from error
                _, verdict = self._known.get(_key(item)) or self._first(item, number)
                self.tally.count[verdict.decision] += 1
                name = item.get("id")
                yield Judged(str(number if name is None else name), verdict)

    def _first(self, item: object, number: int) -> tuple[str, Verdict]:
        try:
            asked = asked_of(item, self._judge.ends)
        except ValueError as error:
            raise self._wrong(number, str(error)) from error
        verdict = self._judge.judge(asked.source, asked.destination, asked.protocol, asked.port)
        found = (self._text.after_id(verdict), verdict)
        if asked.beside is not None and not self._brief:
            return f"{found[0][:-1]},{_beside(asked)}", verdict
        key = _key(item)
        if key is not _UNLIKE:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = found
        return found

    def _wrong(self, number: int, reason: str) -> InvalidManifest:
        return InvalidManifest(
            f"{self._where}:{number}: {reason}",
            way_out="one flow a line: {id, source, destination, protocol, port}, a row of flows -o jsonl, "
            "or an item of an EdgeList",
        )


def _key(item: object) -> object:
    """What makes two flows one question; edges carry what is their own."""
    if type(item) is not dict:
        return _UNLIKE
    try:
        source, destination = item["source"], item["destination"]
        if len(source) == 1 and len(destination) == 1 and type(item["port"]) is int:
            (one,), (other,) = source.items(), destination.items()
            # in one text, and so never a value that cannot be looked up
            return f"{one}{other}{item['protocol']}{item['port']}"
    except (KeyError, TypeError, AttributeError):
        client, server = item.get("client"), item.get("server")
        if type(client) is str and type(server) is str and type(item.get("serverPort")) is int:
            return f"{client} {server} {item.get('protocol')} {item['serverPort']}"
    return _UNLIKE


def _beside(asked: Asked) -> str:
    kept = {key: value for key, value in (asked.beside or {}).items() if key not in _OURS}
    return dump_line(kept)[1:]


_OURS = ("id", "verdict", "egress", "ingress", "reason")


def _quoted(text: str) -> str:
    return f'"{text}"' if text.isascii() and text.isalnum() else dump_line(text)
