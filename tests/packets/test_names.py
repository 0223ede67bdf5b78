from __future__ import annotations

import ipaddress
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import NameAnswer, NameSource, PeerName
from kubectl_netpolgen.model.network import Address
from kubectl_netpolgen.packets.names import Heard, Names
from tests.packets.factories import A, dns_message, dns_name
from tests.packets.factories_names import SRV, announcement

NAME = "web.shop.svc.cluster.local"


def answer(address: str, *, name: str = NAME, transaction: int = 1) -> bytes:
    record = (name, A, ipaddress.ip_address(address).packed)
    return dns_message(name, transaction=transaction, records=[record], response=True)


def test_a_message_is_known_by_its_id_and_name() -> None:
    heard = Names()
    assert heard.hear(dns_message(NAME, transaction=0x00AB), 0) == Heard(False, f"d00ab:{NAME}")
    assert heard.hear(answer("10.0.0.1", transaction=0xAB00), 0) == Heard(True, f"dab00:{NAME}")


def test_the_same_payload_under_another_id_is_another_message() -> None:
    heard = Names()
    keys = [heard.hear(dns_message(NAME, transaction=number), 0) for number in (1, 2)]
    assert keys == [Heard(False, f"d0001:{NAME}"), Heard(False, f"d0002:{NAME}")]


def test_each_answer_is_kept_once_with_its_times_and_count() -> None:
    heard = Names()
    for time in (300, 100, 200):
        heard.hear(answer("10.0.0.1", transaction=time), time)
    assert heard.collected() == (NameAnswer(NAME, Address("10.0.0.1"), (), 100, 300, 3),)


def test_one_address_may_have_many_names_and_the_order_is_fixed() -> None:
    heard = Names()
    for name in ("b.test", "a.test"):
        for address in ("10.0.0.10", "10.0.0.9"):
            heard.hear(answer(address, name=name), 0)
    assert [(item.name, item.address) for item in heard.collected()] == [
        ("a.test", "10.0.0.9"),
        ("a.test", "10.0.0.10"),
        ("b.test", "10.0.0.9"),
        ("b.test", "10.0.0.10"),
    ]


@pytest.mark.parametrize("payload", [b"", b"a", b"no dns at all", b"\xff" * 40])
def test_what_is_no_dns_is_not_heard(payload: bytes) -> None:
    heard = Names()
    assert [heard.hear(payload, 0) for _ in range(2)] == [None, None]


def test_thousands_of_different_questions_are_still_told_apart() -> None:
    heard = Names()
    found = {heard.hear(dns_message(f"n{number}.test"), 0) for number in range(9000)}
    assert len(found) == 9000


def test_more_answers_than_there_is_room_for_are_said_to_be_left_out() -> None:
    heard = Names(most=2)
    for number in range(3):
        heard.hear(answer(f"10.0.0.{number}"), 0)
    assert len(heard.collected()) == 2
    assert heard.overflowed


SERVICE = "_http._tcp.shop.test"


def service_answer(*targets: str) -> bytes:
    records = [(SERVICE, SRV, bytes(6) + dns_name(target)) for target in targets]
    return dns_message(SERVICE, records=records, response=True, kind=SRV)


def test_a_name_that_does_not_exist_is_counted() -> None:
    heard = Names()
    for time in (5, 9, 7):
        heard.hear(dns_message("no.test", response=True, rcode=3, transaction=time), time)
    assert heard.collected() == (NameAnswer("no.test", None, (), 5, 9, 3),)


def test_a_service_has_a_line_for_each_target() -> None:
    heard = Names()
    heard.hear(service_answer("b.shop.test", "a.shop.test", "b.shop.test"), 1)
    heard.hear(service_answer("a.shop.test"), 2)
    assert heard.collected() == (
        NameAnswer(SERVICE, None, ("a.shop.test",), 1, 2, 2),
        NameAnswer(SERVICE, None, ("b.shop.test",), 1, 1, 1),
    )


def test_what_clients_call_a_server_is_kept_with_its_source() -> None:
    heard = Names()
    address = Address("10.0.0.1")
    assert heard.note(NAME, address, NameSource.HTTP, 4) == PeerName(NAME, NameSource.HTTP)
    heard.note(NAME, address, NameSource.SNI, 5)
    heard.note(NAME, address, NameSource.SNI, 3)
    heard.hear(answer("10.0.0.1"), 6)
    assert heard.collected() == (
        NameAnswer(NAME, address, (), 3, 5, 2, NameSource.SNI),
        NameAnswer(NAME, address, (), 4, 4, 1, NameSource.HTTP),
        NameAnswer(NAME, address, (), 6, 6, 1, NameSource.DNS),
    )


def test_multicast_announcements_name_their_owners() -> None:
    heard = Names()
    announced = announcement(("Printer.local", A, bytes((10, 0, 0, 3))))
    heard.hear_announcement(announced, 1)
    heard.hear_announcement(answer("10.0.0.1"), 2)
    heard.hear_announcement(b"noise", 3)
    assert [(item.name, item.address) for item in heard.collected()] == [
        ("printer.local", "10.0.0.3"),
        (NAME, "10.0.0.1"),
    ]


def test_an_address_has_its_names_of_dns_the_first_eight_by_the_alphabet() -> None:
    heard = Names()
    for number in range(12, 0, -1):
        heard.hear(answer("10.0.0.1", name=f"n{number:02}.test"), 0)
    heard.note("a.test", Address("10.0.0.1"), NameSource.SNI, 0)
    assert heard.by_address() == {"10.0.0.1": tuple(f"n{number:02}.test" for number in range(1, 9))}


def test_the_room_for_text_is_bounded_too() -> None:
    heard = Names()
    alias = "\\000" * 250
    absorbed = (NameAnswer(f"n{number}.test", None, (alias,) * 16, 0, 0) for number in range(1200))
    heard.absorb(absorbed)
    assert heard.overflowed
    assert 500 < len(heard.collected()) < 1200


events = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 99), st.sampled_from(NameSource)),
    max_size=30,
)


@given(events, st.integers(0, 30), st.randoms(use_true_random=False))
def test_parts_in_any_order_add_up_to_the_whole(
    heard: list[tuple[int, int, int, NameSource]], cut: int, chance: random.Random
) -> None:
    def collect(some: list[tuple[int, int, int, NameSource]]) -> Names:
        names = Names()
        for name, address, time, source in some:
            if source is NameSource.DNS:
                names.hear(answer(f"10.0.0.{address}", name=f"n{name}.test", transaction=time), time)
            else:
                names.note(f"n{name}.test", Address(f"10.0.0.{address}"), source, time)
        return names

    whole = collect(heard).collected()
    shuffled = list(heard)
    chance.shuffle(shuffled)
    parts = Names()
    for some in (shuffled[cut:], shuffled[:cut]):
        parts.absorb(collect(some).collected())
    assert parts.collected() == whole
    assert sum(item.count for item in whole) == len(heard)
