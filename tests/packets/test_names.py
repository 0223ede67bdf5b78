from __future__ import annotations

import ipaddress

import pytest

from kubectl_netpolgen.model.flow import NameAnswer
from kubectl_netpolgen.model.network import Address
from kubectl_netpolgen.packets.names import Heard, Names
from tests.packets.factories import A, dns_message

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
