from __future__ import annotations

import os
import random

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import NameAnswer, NameSource, PeerName
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.rows import Row, RowKind
from kubectl_netpolgen.packets.dissector import DissectedName, PacketName
from kubectl_netpolgen.packets.names import Names
from kubectl_netpolgen.packets.selection import MOST_FRAMES, Ends, SelectedFrame
from kubectl_netpolgen.packets.tshark import find_tshark
from kubectl_netpolgen.runs.capture_rows import Held
from kubectl_netpolgen.runs.late_names import LateNames, merge_answers
from tests.commands.captures import a_quic_initial
from tests.components import needs
from tests.factories import NOON, a_conversation, a_flow, an_answer
from tests.packets.factories import a_frame

CLIENT, SERVER = Address("10.244.1.5"), Address("10.244.1.6")
ENDS = Ends(Protocol.UDP, CLIENT, 40000, SERVER, 443)
ROW = a_conversation(CLIENT, SERVER, 443, protocol=Protocol.UDP)
QUIC = PeerName("q.test", NameSource.QUIC)


def a_name(ends: Ends = ENDS, *, file: str = "x", address: Address | None = None) -> DissectedName:
    return DissectedName(file, ends, PacketName("q.test", NameSource.QUIC, address), NOON)


def a_selected(file: str = "x", number: int = 0) -> SelectedFrame:
    packet = a_quic_initial(str(SERVER))
    frame = a_frame(packet)
    ends = ENDS._replace(client_port=40000 + number)
    return SelectedFrame(file, frame, 1, packet.time, len(frame), NameSource.QUIC, ends)


def names_of(row: Row) -> list[str]:
    assert not isinstance(row, NameAnswer)
    return [f"{name.source.value}:{name.name}" for name in row.names]


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


def test_late_names_stand_beside_the_rows_own_and_each_once() -> None:
    known = (PeerName("z.test", NameSource.DNS),)
    flow = a_flow(CLIENT, SERVER, 443, protocol=Protocol.UDP, names=known)
    for kind, row in ((RowKind.FLOWS, flow), (RowKind.CONVERSATIONS, ROW._replace(names=known))):
        late = LateNames(kind)
        late.add(a_name())
        late.add(a_name())
        (found,) = late.complete(Held("x", (row,)))
        assert names_of(found) == ["quic:q.test", "dns:z.test"]


def test_a_row_of_another_protocol_gets_none() -> None:
    late = LateNames(RowKind.FLOWS)
    late.add(a_name())
    row = a_flow(CLIENT, SERVER, 443)
    assert list(late.complete(Held("x", (row,)))) == [row]


def test_what_an_answer_says_is_a_name_of_its_address_and_not_of_the_resolver() -> None:
    said = PacketName("b.test", NameSource.DNS, Address("203.0.113.9"), ("c.test",))
    rows = LateNames(RowKind.CONVERSATIONS)
    rows.add(DissectedName("x", ENDS, said, NOON))
    assert list(rows.complete(Held("x", (ROW,)))) == [ROW]
    names = LateNames(RowKind.NAMES)
    names.add(DissectedName("x", ENDS, said, NOON + 1))
    own = an_answer("a.test")
    assert list(names.complete(Held("x", (own,)))) == [
        own,
        NameAnswer("b.test", Address("203.0.113.9"), ("c.test",), NOON + 1, NOON + 1),
    ]


answers = st.builds(
    an_answer,
    st.sampled_from(["a.test", "b.test"]),
    st.sampled_from(["10.0.0.1", "10.0.0.9", "fd00::1"]),
    source=st.sampled_from(NameSource),
    via=st.sampled_from([(), ("c.test",)]),
    first=st.integers(0, 5),
    last=st.integers(5, 9),
    count=st.integers(1, 9),
) | st.builds(
    NameAnswer,
    st.just("a.test"),
    st.none(),
    st.just(()),
    st.integers(0, 5),
    st.integers(5, 9),
    st.integers(1, 9),
)


@given(st.lists(answers, max_size=12), st.randoms(use_true_random=False))
def test_answers_merge_to_the_list_that_one_reading_gives(
    given: list[NameAnswer], dice: random.Random
) -> None:
    names = Names()
    names.absorb(given)
    dice.shuffle(given)
    assert tuple(merge_answers(given)) == names.collected()


def test_frames_beyond_the_bounds_of_a_run_are_told() -> None:
    late = LateNames(RowKind.FLOWS)
    late.absorb(tuple(a_selected(number=number) for number in range(MOST_FRAMES + 7)))
    *_, finding = late.ask(None)
    assert (finding.code, finding.subject) == ("names-incomplete", "tshark")
    assert "7 selected frames" in finding.message


@needs("tshark")
def test_one_question_names_the_rows_of_all_files() -> None:
    late = LateNames(RowKind.FLOWS)
    for file in ("x", "y"):
        late.absorb((a_selected(file),))
    assert late.ask(find_tshark(os.environ)) == ()
    flow = a_flow(CLIENT, SERVER, 443, protocol=Protocol.UDP)
    for file in ("x", "y"):
        (row,) = late.complete(Held(file, (flow,)))
        assert names_of(row) == ["quic:quic.example.test"]
