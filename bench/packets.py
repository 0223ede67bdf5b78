"""The packets of exchanges, as columns: who sends, which flags, how much, when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from bench.exchanges import Exchanges, Kind
from bench.hosts import Integers, Truths
from bench.payloads import GRO_PAYLOAD, HELLO_PREFIX, NOISE, Place, Pool

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
SIZES = np.array([40, 90, 200, 350, 600, 1000, 1448, 1448])
SIZE_SHARES = np.cumsum([0.18, 0.12, 0.12, 0.12, 0.07, 0.07, 0.16, 0.16])
MEAN_GAP = 2_000_000
"""Nanoseconds between two packets of an exchange."""
LATER_FRAGMENT_OFFSET = 1480
"""Where the second fragment of a datagram begins: what an IPv4 packet of 1,500 bytes holds."""
FRAGMENT_END = 528
RECORD_HEADER = 5
"""Bytes before what a TLS record holds (RFC 8446, 5.1)."""


class Shape(IntEnum):
    """What follows the IP header, before the payload from the pool."""

    SEGMENT = 0
    """TCP with time stamps."""
    OPENING = 1
    """TCP with the options of a SYN."""
    HELLO = 2
    """TCP with time stamps and the changing part of a ClientHello."""
    RECORD = 3
    """TCP with time stamps and the header of a TLS record."""
    DATAGRAM = 4
    LOOKUP = 5
    """UDP with the identifier of a DNS message."""
    FRAGMENT = 6
    """Nothing: an IP fragment behind the first."""
    ECHO = 7
    ARP = 8
    """No IP header either."""


@dataclass(frozen=True)
class Packets:
    """One row a packet, those of an exchange together and in order."""

    exchange: Integers
    """The row in the exchanges."""
    step: Integers
    """Counted from 0 within the exchange."""
    time: Integers
    """Nanoseconds behind the start of the capture."""
    back: Truths
    """Sent by the server."""
    flags: Integers
    shape: Integers
    payload: Place
    sequence: Integers
    acknowledged: Integers


@dataclass
class Draft:
    """What the protocols fill in, each for its own rows."""

    exchanges: Exchanges
    pool: Pool
    exchange: Integers
    step: Integers
    back: Truths
    flags: Integers
    shape: Integers
    start: Integers
    length: Integers

    def carry(self, rows: Truths, place: Place, *index: Integers) -> None:
        """Let these rows carry what the table has under the index."""
        self.start[rows], self.length[rows] = place.start[index], place.length[index]

    def send(self, rows: Truths, flags: int, *, back: bool) -> None:
        """Say direction and flags of these rows."""
        self.flags[rows], self.back[rows] = flags, back


def unfold(exchanges: Exchanges, pool: Pool, seed: int, index: int) -> Packets:
    """All packets of the exchanges of slice `index`."""
    rng = np.random.default_rng([seed, 3, index])
    total = int(exchanges.packets.sum())
    first = np.cumsum(exchanges.packets) - exchanges.packets
    exchange = np.repeat(np.arange(len(exchanges.packets)), exchanges.packets)
    draft = Draft(
        exchanges=exchanges,
        pool=pool,
        exchange=exchange,
        step=np.arange(total) - first[exchange],
        back=np.zeros(total, np.bool_),
        flags=np.full(total, ACK, np.int64),
        shape=np.zeros(total, np.int64),
        start=np.zeros(total, np.int64),
        length=np.zeros(total, np.int64),
    )
    connect_and_talk(draft, rng)
    ask_and_answer(draft)
    send_the_rest(draft)
    gaps = (-np.log(1 - rng.random(total)) * MEAN_GAP).astype(np.int64) + 1000
    gaps[first] = 0
    elapsed = np.cumsum(gaps)
    sequence, acknowledged = numbered(draft, first)
    return Packets(
        exchange=exchange,
        step=draft.step,
        time=exchanges.start[exchange] + elapsed - elapsed[first][exchange],
        back=draft.back,
        flags=draft.flags,
        shape=draft.shape,
        payload=Place(draft.start, draft.length),
        sequence=sequence,
        acknowledged=acknowledged,
    )


def connect_and_talk(draft: Draft, rng: np.random.Generator) -> None:
    """Handshake, data both ways, and the end of TCP connections."""
    exchanges, pool, of = draft.exchanges, draft.pool, draft.exchange
    kind, tcp, refused = exchanges.kind[of], exchanges.tcp[of], exchanges.refused[of]
    peer, variant, midway = exchanges.peer[of], exchanges.variant[of], exchanges.midway[of]
    handshake = np.where(exchanges.midway, 0, 3 + exchanges.retried)[of]
    opening = tcp & (draft.step < handshake)
    stage = draft.step - (exchanges.retried[of] & (draft.step > 0))
    draft.send(opening & (stage == 0), SYN, back=False)
    draft.send(opening & (stage == 1), SYN | ACK, back=True)
    draft.shape[opening & (stage < 2)] = Shape.OPENING
    draft.send(refused & (draft.step == 1), RST | ACK, back=True)
    draft.shape[refused & (draft.step == 1)] = Shape.SEGMENT

    turn = draft.step - handshake
    talking = tcp & ~refused & (turn >= 0) & (turn < exchanges.data_packets[of])
    draft.back[talking] = rng.random(int(talking.sum())) < 0.6
    bare = talking & (turn > 2) & (rng.random(len(of)) < 0.4)
    full = talking & ~bare
    draft.flags[full] = PSH | ACK
    size = SIZES[np.minimum(np.searchsorted(SIZE_SHARES, rng.random(len(of))), len(SIZES) - 1)]
    size[rng.random(len(of)) < 0.003] = GRO_PAYLOAD
    source = np.where(kind == Kind.HTTP, pool.text, pool.noise)
    anywhere = rng.integers(0, NOISE, len(of))
    draft.start[full], draft.length[full] = (source + anywhere)[full], size[full]
    sealed = full & (kind == Kind.TLS)
    draft.shape[sealed] = Shape.RECORD
    draft.length[sealed] -= RECORD_HEADER

    whole = full & ~midway
    request = whole & (kind == Kind.HTTP) & (turn == 0)
    draft.back[request] = False
    draft.carry(request, pool.requests, peer[request], variant[request])
    hello = whole & (kind == Kind.TLS) & (turn == 0)
    draft.back[hello], draft.shape[hello] = False, Shape.HELLO
    draft.carry(hello, pool.hellos, peer[hello], variant[hello])
    long = (
        whole
        & (kind == Kind.TLS)
        & (pool.hello_ends.length[peer, variant % pool.hello_ends.length.shape[1]] > 0)
    )
    rest = long & (turn == 1)
    draft.back[rest], draft.shape[rest] = False, Shape.SEGMENT
    draft.carry(rest, pool.hello_ends, peer[rest], variant[rest])
    reply = whole & (kind == Kind.TLS) & (turn == np.where(long, 2, 1))
    draft.back[reply], draft.shape[reply] = True, Shape.SEGMENT
    draft.carry(reply, pool.server_hello, np.zeros(int(reply.sum()), np.int64))

    left = turn - exchanges.data_packets[of]
    ending = tcp & ~refused & (left >= 0)
    by_reset = exchanges.reset[of]
    draft.send(ending & by_reset, RST | ACK, back=True)
    draft.send(ending & ~by_reset & (left == 0), FIN | ACK, back=False)
    draft.send(ending & ~by_reset & (left == 1), FIN | ACK, back=True)


def ask_and_answer(draft: Draft) -> None:
    """DNS: A and AAAA asked, then both answered."""
    of, pool = draft.exchange, draft.pool
    dns = draft.exchanges.kind[of] == Kind.DNS
    draft.back[dns], draft.shape[dns] = draft.step[dns] >= 2, Shape.LOOKUP
    for place, rows in ((pool.questions, dns & (draft.step < 2)), (pool.answers, dns & (draft.step >= 2))):
        where = of[rows]
        draft.carry(
            rows, place, draft.exchanges.peer[where], draft.exchanges.variant[where], draft.step[rows] % 2
        )


def send_the_rest(draft: Draft) -> None:
    """Statsd datagrams, some of them fragmented, pings and ARP."""
    of, step = draft.exchange, draft.step
    kind = draft.exchanges.kind[of]
    statsd = kind == Kind.STATSD
    draft.shape[statsd] = Shape.DATAGRAM
    draft.start[statsd] = (draft.pool.text + draft.exchanges.number[of] * 131 % NOISE)[statsd]
    draft.length[statsd] = 40 + (draft.exchanges.number[of] % 160)[statsd]
    cut = statsd & draft.exchanges.fragmented[of]
    draft.length[cut & (step == 1)] = LATER_FRAGMENT_OFFSET - 8
    later = cut & (step == 2)
    draft.length[later], draft.shape[later] = FRAGMENT_END, Shape.FRAGMENT
    ping = kind == Kind.PING
    draft.shape[ping], draft.back[ping] = Shape.ECHO, step[ping] == 1
    draft.start[ping], draft.length[ping] = draft.pool.text, 56
    draft.shape[kind == Kind.ARP] = Shape.ARP


def numbered(draft: Draft, first: Integers) -> tuple[Integers, Integers]:
    """Sequence and acknowledgement numbers; initial ones are the exchange's number times an odd constant."""
    of = draft.exchange
    taken = draft.length + np.where((draft.flags & (SYN | FIN)) > 0, 1, 0)
    taken += np.where(draft.shape == Shape.HELLO, HELLO_PREFIX, 0)
    taken += np.where(draft.shape == Shape.RECORD, RECORD_HEADER, 0)
    taken[(draft.step == 0) & draft.exchanges.retried[of]] = 0
    number = draft.exchanges.number[of]
    ours = number * 2_654_435_761 + before(np.where(draft.back, 0, taken), first, of)
    theirs = number * 39_571_431 + 7 + before(np.where(draft.back, taken, 0), first, of)
    sequence, acknowledged = np.where(draft.back, theirs, ours), np.where(draft.back, ours, theirs)
    acknowledged[draft.flags == SYN] = 0
    return sequence & 0xFFFFFFFF, acknowledged & 0xFFFFFFFF


def before(taken: Integers, first: Integers, of: Integers) -> Integers:
    """The sum of what was taken before each row within its exchange."""
    sums = np.cumsum(taken) - taken
    return np.asarray(sums - sums[first][of], np.int64)
