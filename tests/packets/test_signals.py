from __future__ import annotations

import pytest

from kubectl_netpolgen.packets.signals import ACCEPTS, CARRIES, OPENS, RESETS, SCTP_SIGNALS, TCP_SIGNALS
from tests.packets.factories import ACK, FIN, PSH, RST, SYN

ECN = 0xC0


@pytest.mark.parametrize(
    ("flags", "signal"),
    [
        (SYN, OPENS),
        (SYN | ECN, OPENS),
        (SYN | ACK, ACCEPTS),
        (RST, RESETS),
        (RST | ACK, RESETS),
        (RST | SYN, RESETS),
        (ACK, CARRIES),
        (PSH | ACK, CARRIES),
        (FIN | ACK, CARRIES),
        (FIN, CARRIES),
        (0, 0),
        (PSH, 0),
    ],
)
def test_tcp_flags_say_what_the_segment_does(flags: int, signal: int) -> None:
    assert TCP_SIGNALS[flags] == signal


@pytest.mark.parametrize(
    ("chunk", "signal"), [(1, OPENS), (2, ACCEPTS), (6, RESETS), (0, CARRIES), (10, CARRIES), (255, CARRIES)]
)
def test_sctp_chunks_say_the_same_things(chunk: int, signal: int) -> None:
    assert SCTP_SIGNALS[chunk] == signal
