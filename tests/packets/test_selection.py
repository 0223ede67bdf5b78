from __future__ import annotations

from kubectl_netpolgen.model.flow import NameSource
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.packets.selection import Ends, SelectedFrame, Selection


def ends(port: int = 40000) -> Ends:
    return Ends(Protocol.UDP, Address("10.0.0.1"), port, Address("192.0.2.1"), 443)


def add(selection: Selection, frame: bytes, *, port: int = 40000) -> None:
    selection.add(frame, link_type=1, time=0, wire=len(frame), source=NameSource.QUIC, ends=ends(port))


def test_a_frame_is_kept_with_all_that_the_dissector_needs() -> None:
    selection = Selection("a.pcap")
    selection.add(b"frame", link_type=113, time=7, wire=90, source=NameSource.SNI, ends=ends())
    assert selection.collected() == (SelectedFrame("a.pcap", b"frame", 113, 7, 90, NameSource.SNI, ends()),)


def test_the_same_frame_of_a_conversation_is_kept_once() -> None:
    selection = Selection()
    for port in (1, 2, 1):
        add(selection, b"same", port=port)
    assert [frame.ends.client_port for frame in selection.collected()] == [1, 2]
    assert selection.left_out == 0


def test_a_conversation_has_a_share_of_eight() -> None:
    selection = Selection()
    for number in range(20):
        add(selection, bytes((number,)))
    assert [frame.frame[0] for frame in selection.collected()] == list(range(8))
    assert selection.left_out == 0


def test_frames_and_bytes_have_bounds_and_the_rest_is_counted() -> None:
    few = Selection(most_frames=2)
    for port in range(5):
        add(few, b"x", port=port)
    assert (len(few.collected()), few.left_out) == (2, 3)
    small = Selection(most_bytes=100)
    for size in (60, 50, 40, 1):
        add(small, bytes(size))
    assert ([len(frame.frame) for frame in small.collected()], small.left_out) == ([60, 40], 2)


def test_selections_of_files_are_joined_within_the_same_bounds() -> None:
    run = Selection(most_frames=3)
    for label in ("a", "b"):
        one = Selection(label, most_frames=2)
        for port in range(3):
            add(one, b"x", port=port)
        run.absorb(one.collected(), left_out=one.left_out)
    assert [(frame.file, frame.ends.client_port) for frame in run.collected()] == [
        ("a", 0),
        ("a", 1),
        ("b", 0),
    ]
    assert run.left_out == 3
