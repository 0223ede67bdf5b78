"""A few threads that take the most urgent task first."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable

Task = Callable[[], None]


class Workers:
    """Run tasks on daemon threads, lower `urgency` numbers first, equal ones in order.

    Daemon threads, because a second ^C must be able to leave while an exec still waits for its deadline.
    A task deals with what it expects; anything else is a defect, and `check` raises it in the caller.
    """

    def __init__(self, count: int) -> None:
        self._queue: queue.PriorityQueue[tuple[int, int, Task | None]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._failure: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._serve, name=f"netpolgen-worker-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, urgency: int, task: Task) -> None:
        """Queue a task."""
        self._queue.put((urgency, next(self._order), task))

    def check(self) -> None:
        """Raise what a task did not expect."""
        if self._failure is not None:
            raise self._failure

    def close(self, *, wait: float) -> None:
        """Let the threads end after what they are doing, and wait at most this many seconds for all."""
        for _ in self._threads:
            self._queue.put((-1, next(self._order), None))
        until = time.monotonic() + wait
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))

    def _serve(self) -> None:
        while True:
            task = self._queue.get()[2]
            if task is None:
                return
            try:
                task()
            except BaseException as error:
                self._failure = self._failure or error
