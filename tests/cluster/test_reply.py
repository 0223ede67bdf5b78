"""Answers of pull.sh: whole, in pieces, and hostile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.cluster.reply import BadReply, Clocks, Part, ReplyReader

ANSWER = b"npg1 1700000000.25 321.5\nstatus.json 2 0 2\n{}cap.pcap 9 4 5\nabc\ndsockets 3 3 0\nend\n"


class Reading:
    """A reader with its sinks."""

    def __init__(self, *, offset: int = 4, limit: int = 100) -> None:
        self.status, self.pcap, self.sockets = bytearray(), bytearray(), bytearray()
        self.clocks: list[Clocks] = []
        self.parts = {
            "status.json": Part(0, 100, self.status.extend),
            "cap.pcap": Part(offset, limit, self.pcap.extend),
            "sockets": Part(3, limit, self.sockets.extend),
        }
        self.reader = ReplyReader(self.parts, on_clocks=self.clocks.append)


@given(st.lists(st.integers(min_value=1, max_value=20), max_size=len(ANSWER)))
def test_an_answer_reads_the_same_however_it_is_cut(sizes: list[int]) -> None:
    reading = Reading()
    rest = ANSWER
    for size in sizes:
        reading.reader.feed(rest[:size])
        rest = rest[size:]
    reading.reader.feed(rest)
    assert reading.reader.complete
    assert (bytes(reading.status), bytes(reading.pcap), bytes(reading.sockets)) == (b"{}", b"abc\nd", b"")
    assert reading.parts["cap.pcap"].size == 9
    assert reading.clocks == [Clocks(epoch=1_700_000_000_250_000_000, uptime=321.5)]


@given(st.integers(min_value=0, max_value=len(ANSWER) - 1))
def test_an_answer_that_is_cut_off_is_not_complete(length: int) -> None:
    reading = Reading()
    reading.reader.feed(ANSWER[:length])
    assert not reading.reader.complete
    assert b"abc\nd".startswith(bytes(reading.pcap))


@pytest.mark.parametrize("time", [b"1700000000.%N", b"1700000000"], ids=["no nanoseconds", "no fraction"])
def test_a_date_without_fractions_counts_as_the_middle_of_its_second(time: bytes) -> None:
    reading = Reading()
    reading.reader.feed(b"npg1 " + time + b" 5\n")
    assert reading.clocks[0].epoch == 1_700_000_000_500_000_000


@pytest.mark.parametrize(
    "answer",
    [
        b"hello\n",
        b"x" * 200,
        b"npg1 1 1\n../../etc/passwd 1 0 1\nx",
        b"npg1 1 1\nmanifest 1 0 1\nx",
        b"npg1 1 1\ncap.pcap 999999999999999 4 999999999999999\n",
        b"npg1 1 1\ncap.pcap 50 4 101\n",
        b"npg1 1 1\ncap.pcap 5 4 2\n",
        b"npg1 1 1\ncap.pcap 9 3 1\n",
        b"npg1 1 1\ncap.pcap 9 4 -1\n",
        b"npg1 1 1\ncap.pcap 9 4 0\ncap.pcap 9 4 0\n",
        ANSWER + b"more\n",
    ],
)
def test_an_answer_to_another_question_is_refused(answer: bytes) -> None:
    with pytest.raises(BadReply):
        Reading().reader.feed(answer)


@given(st.binary(max_size=400))
def test_nothing_but_a_bad_reply_comes_of_hostile_bytes(answer: bytes) -> None:
    reading = Reading()
    try:
        reading.reader.feed(answer)
        reading.reader.feed(b"npg1 1 1\n" + answer)
    except BadReply:
        assert not reading.reader.complete or answer
