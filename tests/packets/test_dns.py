from __future__ import annotations

import ipaddress
import itertools
import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.dns import (
    Message,
    present_label,
    read_announcement,
    read_message,
    read_name,
)
from tests.packets.factories import AAAA, CNAME, A, dns_message, dns_name
from tests.packets.factories_names import SRV, announcement

NAME = "api.example.test"
ADDRESS = ipaddress.ip_address("203.0.113.10").packed
ADDRESS6 = ipaddress.ip_address("2001:db8::10").packed


def answer(*records: tuple[str, int, bytes], name: str = NAME, rcode: int = 0) -> Message:
    message = read_message(dns_message(name, records=records, response=True, rcode=rcode))
    assert message is not None
    return message


def unescape(text: str) -> bytes:
    return re.sub(
        rb"\\(\d{3}|[.\\])",
        lambda match: bytes((int(match[1]),)) if match[1].isdigit() else match[1],
        text.encode("ascii"),
    )


def test_a_query_names_what_is_asked() -> None:
    assert read_message(dns_message("Web.Shop", transaction=0xBEEF)) == Message(0xBEEF, False, "web.shop", ())


def test_addresses_of_both_families_are_read() -> None:
    message = answer((NAME, A, ADDRESS), (NAME, AAAA, ADDRESS6))
    assert message.answers == (("203.0.113.10", ()), ("2001:db8::10", ()))


def test_a_chain_of_cnames_leads_from_the_question_to_the_address() -> None:
    message = answer(
        (NAME, CNAME, dns_name("edge.cdn.test")),
        ("edge.cdn.test", CNAME, dns_name("node7.cdn.test")),
        ("node7.cdn.test", A, ADDRESS),
    )
    assert message.answers == (("203.0.113.10", ("edge.cdn.test", "node7.cdn.test")),)


def test_the_order_of_records_does_not_matter() -> None:
    message = answer(("edge.cdn.test", A, ADDRESS), (NAME, CNAME, dns_name("edge.cdn.test")))
    assert message.answers == (("203.0.113.10", ("edge.cdn.test",)),)


def test_cnames_in_a_circle_end() -> None:
    message = answer(
        (NAME, CNAME, dns_name("b.test")), ("b.test", CNAME, dns_name(NAME)), ("b.test", A, ADDRESS)
    )
    assert message.answers == (("203.0.113.10", ("b.test",)),)


def test_a_chain_longer_than_any_resolver_follows_is_not_followed_either() -> None:
    names = [NAME, *(f"n{number}.test" for number in range(20))]
    links = [(owner, CNAME, dns_name(target)) for owner, target in itertools.pairwise(names)]
    found = answer(*links, ("n15.test", A, ADDRESS), ("n16.test", A, ADDRESS6[:4]))
    assert found.answers == (("203.0.113.10", tuple(names[1:17])),)


def test_an_address_of_a_name_that_nobody_asked_for_is_not_believed() -> None:
    assert answer(("other.test", A, ADDRESS)).answers == ()


def test_a_refusal_gives_no_addresses() -> None:
    assert answer((NAME, A, ADDRESS), rcode=3).answers == ()


def test_an_address_of_the_wrong_length_is_skipped() -> None:
    assert answer((NAME, A, ADDRESS6), (NAME, AAAA, ADDRESS), (NAME, A, ADDRESS)).answers == (
        ("203.0.113.10", ()),
    )


def test_a_cut_answer_keeps_its_whole_records() -> None:
    content = dns_message(NAME, records=[(NAME, A, ADDRESS), (NAME, AAAA, ADDRESS6)], response=True)
    message = read_message(content[:-1])
    assert message is not None
    assert message.answers == (("203.0.113.10", ()),)


def test_compressed_names_are_followed_backwards() -> None:
    record = b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 30, 4) + ADDRESS
    content = bytearray(dns_message(NAME, response=True) + record)
    content[7] = 1
    message = read_message(bytes(content))
    assert message is not None
    assert message.answers == (("203.0.113.10", ()),)


@pytest.mark.parametrize(
    "payload",
    [
        b"\xc0\x00",
        b"\xc0\x02\x00",
        b"\x01a\xc0\x00",
        b"\x40a",
        b"\x05abc",
        b"\x01a",
        b"\xc0",
        b"".join(bytes((63,)) + b"a" * 63 for _ in range(4)) + b"\0",
    ],
)
def test_names_that_loop_or_are_cut_or_too_long_are_none(payload: bytes) -> None:
    assert read_name(payload, 0) is None


def test_the_root_is_a_dot() -> None:
    assert read_name(b"\0", 0) == (".", 1)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (b"Web-1_x", "web-1_x"),
        (b"*", "*"),
        (b"a.b", "a\\.b"),
        (b"a\\b", "a\\\\b"),
        (b"\x1b[31m", "\\027[31m"),
        (b"a b\n", "a\\032b\\010"),
        ("é".encode("latin-1"), "\\233"),
    ],
)
def test_hostile_labels_become_printable_text(label: bytes, text: str) -> None:
    assert present_label(label) == text


@given(st.binary(min_size=1, max_size=63))
def test_a_label_as_text_is_printable_and_says_exactly_what_it_was(label: bytes) -> None:
    text = present_label(label)
    assert text.isascii()
    assert text.isprintable()
    assert " " not in text
    assert unescape(text) == label.lower()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"metric:1|c",
        dns_message(NAME)[:12],
        dns_message(NAME)[:-1],
        b"\0\0\x28\0" + dns_message(NAME)[4:],
        b"\0\0\0\0\0\2" + dns_message(NAME)[6:],
    ],
)
def test_what_is_no_query_or_response_about_one_name_is_none(payload: bytes) -> None:
    assert read_message(payload) is None


@given(st.binary(max_size=300))
def test_any_payload_is_survived(payload: bytes) -> None:
    read_message(payload)
    read_message(dns_message(NAME, response=True)[:7] + b"\xff" + payload)


@given(st.data())
def test_any_damage_to_an_answer_is_survived(data: st.DataObject) -> None:
    records = [(NAME, CNAME, dns_name("edge.cdn.test")), ("edge.cdn.test", A, ADDRESS)]
    content = bytearray(dns_message(NAME, records=records, response=True))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    message = read_message(bytes(content))
    if message is not None:
        assert message.name.isprintable()


def test_services_are_told_by_their_targets() -> None:
    message = answer(
        (NAME, SRV, bytes(6) + dns_name("B.test")),
        (NAME, SRV, bytes(6) + dns_name("a.test")),
        (NAME, SRV, bytes(5) + b"\1" + dns_name("b.test")),
        ("other.test", SRV, bytes(6) + dns_name("c.test")),
        (NAME, SRV, bytes(6) + b"\0"),
        (NAME, SRV, bytes(3)),
    )
    assert message.services == ("b.test", "a.test")


def test_a_name_that_does_not_exist_is_told_from_other_refusals() -> None:
    assert [answer(rcode=code).nonexistent for code in (0, 2, 3, 5)] == [False, False, True, False]


def test_a_long_way_of_pointers_ends() -> None:
    # each points to the one before: 500 hops from the last
    payload = b"\1a\0" + b"".join(
        (0xC000 | max(0, 1 + 2 * number)).to_bytes(2, "big") for number in range(500)
    )
    assert read_name(payload, len(payload) - 2) is None


def test_an_announcement_tells_names_with_all_sections() -> None:
    payload = announcement(
        ("Printer.local", AAAA, ADDRESS6),
        ("printer.local", A, ADDRESS),
        ("printer.local", A, ADDRESS),
        additional=2,
    )
    assert read_announcement(payload) == (
        ("printer.local", "2001:db8::10"),
        ("printer.local", "203.0.113.10"),
    )


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        dns_message(NAME, records=[(NAME, A, ADDRESS)], response=True),
        announcement((NAME, A, ADDRESS), flags=0),
        announcement((NAME, A, ADDRESS), flags=0x8403),
    ],
)
def test_what_is_asked_for_or_refused_is_no_announcement(payload: bytes) -> None:
    assert read_announcement(payload) == ()


@given(st.binary(max_size=120))
def test_no_announcement_can_raise(noise: bytes) -> None:
    for payload in (noise, announcement((NAME, A, ADDRESS))[:12] + noise):
        read_announcement(payload)
