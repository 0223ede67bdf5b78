"""The one importer of pyshark, held so that only the tshark that we name is started, once, on our terms.

pyshark reads `config.ini` of the current directory for programs to start, starts tshark a second time to ask
its version, hands on our environment and installs a child watcher that newer Pythons have not. The methods
that decide this are replaced here; its parsers are used as they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from packaging.version import Version  # pyshark brings it
from pyshark.capture.file_capture import FileCapture

from kubectl_netpolgen.packets.tshark import empty_surroundings, limited_command

_OLDEST_SEPARATORS = Version("3.0.0")
"""The JSON of tshark since 2019; pyshark asks for nothing else of the version."""


class _LimitedCapture(FileCapture):  # type: ignore[misc]  # pyshark has no types
    """A FileCapture whose process has an empty configuration, limits and an end."""

    def __init__(
        self,
        path: Path,
        program: Path,
        surroundings: tuple[Path, dict[str, str]],
        seconds: int,
        **options: Any,
    ) -> None:
        self._program, self._surroundings, self._seconds = program, surroundings, seconds
        self.timed_out = False
        self.status: int | None = None
        try:
            super().__init__(
                str(path),
                use_json=True,
                keep_packets=False,
                tshark_path=str(program),
                eventloop=None,
                **options,
            )
        except BaseException:
            self.eventloop.close()
            raise

    def _setup_eventloop(self) -> None:
        self.eventloop = asyncio.new_event_loop()

    def _get_tshark_path(self) -> str:
        return str(self._program)

    def _get_tshark_version(self) -> Version:
        return _OLDEST_SEPARATORS

    async def _get_tshark_process(self, packet_count: int | None = None, stdin: Any = None) -> Any:
        directory, variables = self._surroundings
        arguments = ["-n", "-Q", "-T", "json", "--no-duplicate-keys", *self.get_parameters(packet_count)]
        process = await asyncio.create_subprocess_exec(
            *limited_command(self._program, arguments, seconds=self._seconds),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=directory,
            env=variables,
        )
        self._create_stderr_handling_task(process.stderr)
        self._running_processes.add(process)
        self.eventloop.call_later(self._seconds, self._expire, process)
        return process

    async def _handle_process_stderr_forever(self, stderr: Any) -> None:
        # pyshark's own decodes each line and breaks on bytes that are no UTF-8, or on a line without end
        while await stderr.read(1 << 16):
            pass

    def _expire(self, process: Any) -> None:
        self.timed_out = True
        _kill(process)

    async def _cleanup_subprocess(self, process: Any) -> None:
        if not self._eof_reached:
            _kill(process)
        self.status = await process.wait()
        self._running_processes.discard(process)


class SharkCapture:
    """Packets of a capture file as pyshark tells them; a context manager, for a process stands behind it."""

    def __init__(
        self,
        path: Path,
        *,
        program: Path,
        seconds: int,
        layers: Sequence[str],
        children: bool,
        decode_as: Sequence[tuple[str, str]] = (),
        preferences: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._surroundings = empty_surroundings()
        surroundings = self._surroundings.__enter__()
        try:
            self._capture = _LimitedCapture(
                path.resolve(),
                program,
                surroundings,
                seconds,
                custom_parameters=["-J" if children else "-j", " ".join(("frame", *layers))],
                decode_as=dict(decode_as),
                override_prefs=dict(preferences),
            )
        except BaseException:
            self._surroundings.__exit__(None, None, None)
            raise

    def __enter__(self) -> SharkCapture:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._capture.eventloop.run_until_complete(self._finish())
        finally:
            self._capture.eventloop.close()
            self._surroundings.__exit__(None, None, None)

    @property
    def timed_out(self) -> bool:
        """True when tshark was stopped because its time was over."""
        return bool(self._capture.timed_out)

    @property
    def status(self) -> int | None:
        """How tshark ended: 0, its own number, or a signal as a negative one; None while it runs."""
        status: int | None = self._capture.status
        return status

    def packets(self) -> Iterator[Any]:
        """pyshark's packets, in order; an exception of whatever kind says that no more will come."""
        yield from self._capture._packets_from_tshark_sync()

    async def _finish(self) -> None:
        for process in tuple(self._capture._running_processes):
            await self._capture._cleanup_subprocess(process)
        await asyncio.gather(*self._capture._stderr_handling_tasks, return_exceptions=True)


def _kill(process: Any) -> None:
    """End a process without asking how it is: asyncio's own `kill` would take its status from the watcher."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
