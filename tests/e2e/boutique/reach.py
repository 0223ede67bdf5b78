"""Tries TCP connections from inside a pod and says of each whether it connected, was refused or timed out.

Its source is handed to the pod's python3 on the command line, followed by the targets as JSON, so it uses the
standard library only and imports nothing of this repository.
"""

from __future__ import annotations

import json
import socket
import sys
from threading import Thread

# Long enough for two repetitions of a lost first packet, short enough for the patience of a test run.
TIMEOUT_S = 4.0


def reach(host: str, port: int, family: int, timeout: float = TIMEOUT_S) -> str:
    """Open one connection and name the outcome; what is neither success nor silence is named by its error."""
    wanted = socket.AF_INET6 if family == 6 else socket.AF_INET
    try:
        *_, address = socket.getaddrinfo(host, port, wanted, socket.SOCK_STREAM)[0]
        with socket.socket(wanted, socket.SOCK_STREAM) as opened:
            opened.settimeout(timeout)
            opened.connect(address)
    except TimeoutError:
        return "timeout"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return "connected"


def reach_all(targets: list[tuple[str, int, int]]) -> list[str]:
    """Try all targets at once, so that the whole takes no longer than the slowest of them."""
    outcomes = [""] * len(targets)

    def attempt(position: int) -> None:
        host, port, family = targets[position]
        outcomes[position] = reach(host, port, family)

    threads = [Thread(target=attempt, args=(position,)) for position in range(len(targets))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


if __name__ == "__main__":
    print(json.dumps(reach_all(json.loads(sys.argv[1]))))
