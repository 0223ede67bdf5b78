from __future__ import annotations

import ipaddress
import struct

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.addresses import Addresses
from kubectl_netpolgen.packets.halves import Half
from kubectl_netpolgen.packets.payloads import Payloads
from kubectl_netpolgen.packets.repeated import LONGEST_REMEMBERED, MOST_REMEMBERED, Repeated
from kubectl_netpolgen.packets.signals import ASKS, REPLIES
from tests.packets.factories import CLIENT, CLIENT6, SERVER, SERVER6, A, dns_message
from tests.packets.factories_tunnels import a_request

ENDS = [(CLIENT, SERVER), ("10.0.0.9", SERVER), (CLIENT, "10.0.0.8"), (CLIENT6, SERVER6)]
MESSAGES = [
    dns_message(),
    dns_message("b.test"),
    dns_message("a.test", response=True, records=[("a.test", A, bytes((10, 1, 1, 1)))]),
    b"nothing",
    b"",
]
REQUESTS = [a_request("a.test"), a_request("b.test"), a_request("10.0.0.1"), b"GET", b"GET" + bytes(1300)]


def a_key(ends: tuple[str, str], port: int = 40000) -> bytes:
    return b"".join(ipaddress.ip_address(end).packed for end in ends) + struct.pack(">HH", port, 80)


def take(found: Repeated, payload: bytes, time: int) -> int:
    """A message, as the plain loop takes it."""
    message = found.messages.get(payload[2:])
    if message is None:
        return found.hear(payload, time)
    message.count += 1
    message.first, message.last = min(message.first, time), max(message.last, time)
    return message.signal


times = st.integers(0, 9)
said = st.lists(
    st.tuples(st.sampled_from(MESSAGES), times)
    | st.tuples(st.sampled_from(REQUESTS), times, st.sampled_from(ENDS)),
    max_size=12,
)


@given(said, st.sampled_from([1, 2, MOST_REMEMBERED]))
def test_what_is_counted_is_told_as_if_each_had_been_read(
    payloads: list[tuple[bytes, int] | tuple[bytes, int, tuple[str, str]]], most: int
) -> None:
    directly, counted = Payloads(Addresses()), Payloads(Addresses())
    found = Repeated(counted, most=most)
    for item in payloads:
        if len(item) == 2:
            response = directly.names.tell(item[0], item[1], item[1])
            signal = 0 if response is None else REPLIES if response else ASKS
            assert take(found, item[0], item[1]) == signal
            continue
        payload, time, ends = item
        one, other = Half(), Half()
        name = directly.hear_request(a_key(ends), payload, time)
        if name is not None:
            one.call(name)
        found.request(other, a_key(ends), payload, time)
        assert one.names == other.names
    found.settle()
    assert counted.names.collected() == directly.names.collected()
    found.settle()
    assert counted.names.collected() == directly.names.collected()


def test_a_half_may_call_its_receiver_by_several_names() -> None:
    found, half = Repeated(Payloads(Addresses())), Half()
    for host in ("a.test", "b.test", "a.test", "10.0.0.1"):
        found.request(half, a_key(ENDS[0]), a_request(host), 1)
    assert half.names == (("a.test", "http"), ("b.test", "http"))


def test_what_is_long_is_not_remembered_and_told_all_the_same() -> None:
    payloads = Payloads(Addresses())
    found = Repeated(payloads)
    request = a_request("a.test") + bytes(LONGEST_REMEMBERED)
    for time in (1, 2):
        found.request(Half(), a_key(ENDS[0]), request, time)
        found.hear(dns_message() + bytes(LONGEST_REMEMBERED), time)
    assert not found.messages
    (name,) = payloads.names.collected()
    assert (name.name, name.first, name.last, name.count) == ("a.test", 1, 2, 2)
