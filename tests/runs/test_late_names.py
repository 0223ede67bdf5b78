from __future__ import annotations

from kubectl_netpolgen.model.flow import NameSource, PeerName
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.rows import RowKind
from kubectl_netpolgen.packets.dissector import DissectedName, PacketName
from kubectl_netpolgen.packets.selection import Ends, SelectedFrame
from kubectl_netpolgen.runs.capture_rows import Held
from kubectl_netpolgen.runs.late_names import LateNames, merge_answers
from tests.factories import NOON, a_conversation, an_answer

CLIENT, SERVER = Address("10.244.1.5"), Address("10.244.1.6")
ENDS = Ends(Protocol.UDP, CLIENT, 40000, SERVER, 443)
ROW = a_conversation(CLIENT, SERVER, 443, protocol=Protocol.UDP)
QUIC = PeerName("q.test", NameSource.QUIC)


def a_name(ends: Ends = ENDS, *, file: str = "x", address: Address | None = None) -> DissectedName:
    return DissectedName(file, ends, PacketName("q.test", NameSource.QUIC, address), NOON)


def test_a_row_gets_the_name_of_its_frame_whichever_end_was_taken_for_the_client() -> None:
    turned = Ends(Protocol.UDP, SERVER, 443, CLIENT, 40000)
    for ends in (ENDS, turned):
        late = LateNames(RowKind.CONVERSATIONS)
        late.add(a_name(ends))
        (row,) = late.complete(Held("x", (ROW,)))
        assert row == a_conversation(CLIENT, SERVER, 443, protocol=Protocol.UDP, names=(QUIC,))


def test_other_files_and_ports_get_nothing() -> None:
    late = LateNames(RowKind.CONVERSATIONS)
    late.add(a_name())
    other = a_conversation(CLIENT, SERVER, 443, protocol=Protocol.UDP, client_port=40001)
    assert list(late.complete(Held("x", (other,)))) == [other]
    assert list(late.complete(Held("y", (ROW,)))) == [ROW]


def test_a_name_is_a_row_of_names_too_and_adds_to_one_that_is_there() -> None:
    late = LateNames(RowKind.NAMES)
    late.add(a_name())
    late.add(a_name(address=Address("10.0.0.9")))
    known = an_answer("q.test", SERVER, source=NameSource.QUIC, count=4)
    found = list(late.complete(Held("x", (known,))))
    assert [(item.address, item.count) for item in found] == [("10.0.0.9", 1), (SERVER, 5)]  # type: ignore[union-attr]


def test_the_same_answer_is_one_with_the_outermost_times() -> None:
    (found,) = merge_answers([an_answer(first=5, last=6), an_answer(first=3, last=4, count=2)])
    assert (found.first, found.last, found.count) == (3, 6, 3)


def test_without_tshark_what_was_not_read_is_told() -> None:
    late = LateNames(RowKind.FLOWS)
    assert late.ask(None) == ()
    frame = SelectedFrame("x", b"frame", 1, NOON, 5, NameSource.QUIC, ENDS)
    late.absorb((frame,))
    assert [finding.code for finding in late.ask(None)] == ["tshark-absent"]
