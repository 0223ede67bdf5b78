"""`python -m kubectl_netpolgen`: the same program as the console script."""

from __future__ import annotations

from kubectl_netpolgen.cli.main import run

if __name__ == "__main__":
    run()
