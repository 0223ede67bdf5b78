"""Rows of captures as lines of JSON, written by hand because there may be millions of them.

Addresses, ports and enumerations hold nothing that JSON would escape; all other text goes through
`documents.json_text`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from kubectl_netpolgen.documents.json_text import dump_line
from kubectl_netpolgen.model.flow import Conversation, NameAnswer, PeerName
from kubectl_netpolgen.model.rows import API_VERSION, Row, RowKind, direction_word
from kubectl_netpolgen.model.times import rfc3339_full

WriteRow = Callable[[Row], str]


def json_line(row: Row, *, file: str) -> str:
    """One row as a line of JSON, with its line break; `file` is the file as JSON text."""
    if isinstance(row, NameAnswer):
        return _name_line(row, file)
    if isinstance(row, Conversation):
        ports, count = f'"clientPort":{row.client_port},', ""
    else:
        ports, count = "", f'"clientPorts":{row.client_ports},'
    return (
        f'{{"file":{file},"protocol":"{row.protocol._value_}","client":"{row.client}",{ports}'
        f'"server":"{row.server}","serverPort":{row.server_port},{count}'
        f'"packetsToServer":{row.packets_to_server},"packetsToClient":{row.packets_to_client},'
        f'"bytesToServer":{row.bytes_to_server},"bytesToClient":{row.bytes_to_client},'
        f'"laterFragments":{row.later_fragments},"laterFragmentBytes":{row.later_fragment_bytes},'
        f'"duplicates":{row.duplicates},"first":"{rfc3339_full(row.first)}","last":"{rfc3339_full(row.last)}",'
        f'"direction":"{direction_word(row.direction)}","outcome":"{row.outcome._value_}",'
        f'"connections":{row.connections},"names":{_names_text(row.names) if row.names else "[]"},'
        f'"vlan":{"null" if row.vlan is None else row.vlan},'
        f'"tunnel":{"null" if row.tunnel is None else dump_line(row.tunnel.value)}}}\n'
    )


def json_writer(file: str) -> WriteRow:
    """A function that writes the rows of one file as lines of JSON."""
    text = dump_line(file)
    return lambda row: json_line(row, file=text)


def list_start(kind: RowKind) -> str:
    """What stands before the first row of a list; each row but the first is preceded by a comma."""
    return f'{{"apiVersion":{dump_line(API_VERSION)},"kind":{dump_line(kind.value)},"items":[\n'


LIST_END = "]}\n"


def _name_line(row: NameAnswer, file: str) -> str:
    address = "null" if row.address is None else f'"{row.address}"'
    return (
        f'{{"file":{file},"name":{dump_line(row.name)},"address":{address},"source":"{row.source._value_}",'
        f'"via":{dump_line(list(row.via))},"first":"{rfc3339_full(row.first)}",'
        f'"last":"{rfc3339_full(row.last)}","count":{row.count}}}\n'
    )


@lru_cache(maxsize=4096)
def _names_text(names: Sequence[PeerName]) -> str:
    return dump_line([{"name": item.name, "source": item.source.value} for item in names])
