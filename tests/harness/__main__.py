"""`python -m tests.harness up|down|status|logs`: the harness for a person and for make."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.harness import layout
from tests.harness.cluster import Harness
from tests.harness.errors import HarnessError
from tests.harness.kubectl import KubectlError

DOWN = 3
INTERRUPTED = 130


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    tree = argparse.ArgumentParser(prog="python -m tests.harness", description=__doc__)
    verbs = tree.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="bring the cluster up; prints the export line for its kubeconfig")
    up.add_argument("--nodes", type=int, default=2, choices=range(1, layout.MAX_NODES + 1), metavar="N")
    verbs.add_parser("down", help="remove everything of it")
    verbs.add_parser("status", help=f"say what runs; exit status {DOWN} when the cluster is not usable")
    logs = verbs.add_parser("logs", help="show where each log is, and its end")
    logs.add_argument("--lines", type=int, default=20, metavar="N", help="last lines of each (20)")
    return tree


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status.

    Standard output carries only what a shell may evaluate or a person asked for.
    """
    options = parser().parse_args(arguments)
    harness = Harness()
    try:
        if options.verb == "up":
            harness.up(options.nodes, _say)
            print(f"export KUBECONFIG={harness.where.admin_kubeconfig}")
        elif options.verb == "down":
            harness.down()
            _say("nothing of the cluster is left")
        elif options.verb == "status":
            healthy, lines = harness.status()
            print("\n".join(lines))
            return 0 if healthy else DOWN
        else:
            print("\n".join(harness.logs(options.lines)))
    except (HarnessError, KubectlError) as error:
        _say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _say("interrupted: `up` starts anew, `down` removes what is there")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
