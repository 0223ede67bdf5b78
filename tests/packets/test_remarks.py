from __future__ import annotations

from collections.abc import Mapping

import pytest

from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import NameSource
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.packets.capture import Reading
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.engines import PairTable
from kubectl_netpolgen.packets.names import MOST_ANSWERS
from kubectl_netpolgen.packets.remarks import cut_short, remarks_on
from kubectl_netpolgen.packets.selection import MOST_FRAMES, Ends
from tests.packets.factories import CLIENT, SERVER


def a_reading(
    *,
    packets: int = 1,
    truncated: str | None = None,
    notes: tuple[str, ...] = (),
    unread_links: Mapping[int, int] | None = None,
) -> Reading:
    tally = Tally()
    reading = Reading("pod.pcap", tally, PairTable(tally.table))
    reading.packets, reading.truncated, reading.notes = packets, truncated, notes
    reading.unread_links = unread_links or {}
    return reading


def shortly(findings: tuple[Finding, ...]) -> list[tuple[str, Severity]]:
    assert all(finding.subject == "pod.pcap" for finding in findings)
    return [(finding.code, finding.severity) for finding in findings]


def test_a_whole_capture_needs_no_remark() -> None:
    assert remarks_on(a_reading()) == ()
    assert a_reading().findings == ()


def test_damage_is_a_warning_with_its_reason_and_what_to_do() -> None:
    (finding,) = remarks_on(a_reading(truncated="record 7 at byte 812 is lost: it ends 3 bytes early"))
    assert (finding.code, finding.severity) == ("capture-truncated", Severity.WARNING)
    assert "record 7 at byte 812" in finding.message
    assert "everything before that was used" in finding.message
    assert "copy the file again" in str(finding)


def test_oddities_are_notes_one_each() -> None:
    found = remarks_on(a_reading(notes=("one", "two")))
    assert shortly(found) == [("capture-odd", Severity.NOTE)] * 2
    assert [finding.message for finding in found] == ["one", "two"]


def test_links_that_are_not_read_are_told_in_order_with_their_names() -> None:
    found = remarks_on(a_reading(unread_links={189: 3, 105: 2, 7777: 1}))
    assert shortly(found) == [("link-type-unread", Severity.WARNING)] * 3
    assert [finding.message for finding in found] == [
        "2 packets of link type 105 (IEEE 802.11) were not read",
        "3 packets of link type 189 (USB on Linux) were not read",
        "1 packets of link type 7777 were not read",
    ]


@pytest.mark.parametrize(
    ("packets", "truncated", "unread_links", "empty"),
    [
        (0, None, {}, True),
        (1, None, {}, False),
        # damage, or packets that nobody reads, say more
        (0, "cut", {}, False),
        (0, None, {189: 3}, False),
    ],
)
def test_a_capture_without_packets_is_empty(
    packets: int, truncated: str | None, unread_links: Mapping[int, int], empty: bool
) -> None:
    found = remarks_on(a_reading(packets=packets, truncated=truncated, unread_links=unread_links))
    assert (("capture-empty", Severity.WARNING) in shortly(found)) is empty


def test_damage_comes_first_and_links_last() -> None:
    found = remarks_on(a_reading(truncated="cut", notes=("odd",), unread_links={189: 3}))
    assert [finding.code for finding in found] == ["capture-truncated", "capture-odd", "link-type-unread"]


def test_bounds_are_told_once_they_left_something_out() -> None:
    tally = Tally()
    assert cut_short(tally) == ()
    tally.payloads.names.overflowed = True
    ends = Ends(Protocol.UDP, Address(CLIENT), 1, Address(SERVER), 443)
    for number in range(MOST_FRAMES + 2):
        tally.payloads.selection.add(
            number.to_bytes(2, "big"),
            link_type=1,
            time=0,
            wire=2,
            source=NameSource.QUIC,
            ends=ends._replace(client_port=number),
        )
    names, frames = cut_short(tally)
    assert f"only the first {MOST_ANSWERS} names" in names
    assert frames.startswith("2 packets")
