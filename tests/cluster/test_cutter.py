"""A blocked read wakes once its event is set, and never before."""

from __future__ import annotations

import socket
import threading

from kubectl_netpolgen.cluster.cutter import Cutter


def read_in_thread(reader: socket.socket, cutter: Cutter, stop: threading.Event) -> threading.Thread:
    def read() -> None:
        with cutter.cutting(reader, stop):
            while reader.recv(1):
                pass

    thread = threading.Thread(target=read)
    thread.start()
    return thread


def test_a_blocked_read_ends_when_the_event_is_set() -> None:
    near, far = socket.socketpair()
    with near, far:
        stop = threading.Event()
        thread = read_in_thread(near, Cutter(), stop)
        far.send(b"x")
        stop.set()
        thread.join(3)
        assert not thread.is_alive()


def test_only_the_connections_of_the_set_event_are_cut() -> None:
    near, far = socket.socketpair()
    other_near, other_far = socket.socketpair()
    with near, far, other_near, other_far:
        cutter = Cutter()
        stop, other_stop = threading.Event(), threading.Event()
        thread = read_in_thread(near, cutter, stop)
        other = read_in_thread(other_near, cutter, other_stop)
        stop.set()
        thread.join(3)
        assert not thread.is_alive()
        assert other.is_alive()
        other_stop.set()
        other.join(3)
        assert not other.is_alive()


def test_a_connection_that_was_let_go_is_not_cut() -> None:
    near, far = socket.socketpair()
    with near, far:
        cutter, stop = Cutter(), threading.Event()
        with cutter.cutting(near, stop):
            pass
        stop.set()
        third, fourth = socket.socketpair()
        with third, fourth:
            read_in_thread(third, cutter, stop).join(3)
        far.send(b"still open")
        assert near.recv(10) == b"still open"


def test_a_connection_without_a_socket_is_left_to_its_timeout() -> None:
    with Cutter().cutting(None, threading.Event()):
        assert threading.active_count() >= 1
