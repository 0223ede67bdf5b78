"""Flows with names of a capture with nfstream, as it comes."""

from __future__ import annotations

import sys

from nfstream import NFStreamer

if __name__ == "__main__":
    flows = sum(1 for _ in NFStreamer(source=sys.argv[1]))
    sys.stdout.write(f"{flows}\n")
