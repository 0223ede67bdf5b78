"""Threads that take the most urgent task first."""

from __future__ import annotations

import functools
import threading
import time

import pytest

from kubectl_netpolgen.runs.workers import Workers


def assert_set(gate: threading.Event) -> None:
    """Hold a thread up until the gate opens."""
    assert gate.wait(30)


def test_urgent_tasks_come_first_and_equals_in_order() -> None:
    workers = Workers(1)
    gate, done = threading.Event(), threading.Event()
    order: list[str] = []
    workers.submit(0, lambda: assert_set(gate))
    for urgency, name in ((2, "last"), (1, "second"), (1, "third"), (0, "first")):
        workers.submit(urgency, functools.partial(order.append, name))
    workers.submit(3, done.set)
    gate.set()
    assert done.wait(10)
    assert order == ["first", "second", "third", "last"]
    workers.close(wait=10)


def test_a_defect_comes_out_and_the_others_go_on() -> None:
    workers = Workers(1)
    done = threading.Event()

    def broken() -> None:
        raise ZeroDivisionError("a defect")

    workers.check()
    workers.submit(0, broken)
    workers.submit(1, done.set)
    assert done.wait(10)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        workers.check()
    workers.close(wait=10)


def test_closing_waits_no_longer_than_it_was_told() -> None:
    workers = Workers(2)
    gate = threading.Event()
    workers.submit(0, lambda: assert_set(gate))
    before = time.monotonic()
    workers.close(wait=0.1)
    assert time.monotonic() - before < 5
    gate.set()
