"""A certificate for the loopback, made by openssl once a test session."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SERVER_NAME = "fake-api.test"
"""A name that the certificate has besides the loopback addresses, for --tls-server-name."""


@dataclass(frozen=True)
class Certificate:
    """Self-signed, so the certificate is its own authority."""

    certificate: Path
    key: Path


def make_certificate(directory: Path, *, names: str) -> Certificate:
    """Make one; `names` are subject alternative names as openssl takes them."""
    certificate, key = directory / "tls.crt", directory / "tls.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=fake API server"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-addext", f"subjectAltName={names}"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return Certificate(certificate, key)


def make_lenient_certificate(directory: Path, *, names: str) -> tuple[Certificate, Path]:
    """One signed by an authority that lacks what RFC 5280 demands of it, and the authority's own."""
    authority = Certificate(directory / "ca.crt", directory / "ca.key")
    issued = Certificate(directory / "issued.crt", directory / "issued.key")
    request, extensions = directory / "issued.csr", directory / "issued.ext"
    extensions.write_text(f"subjectAltName={names}\n")
    new_key = ("-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    for command in (
        (
            *("req", "-x509", *new_key, "-subj", "/CN=old authority", "-days", "2"),
            *("-keyout", str(authority.key), "-out", str(authority.certificate)),
        ),
        ("req", *new_key, "-subj", "/CN=server", "-keyout", str(issued.key), "-out", str(request)),
        (
            *("x509", "-req", "-in", str(request), "-days", "2", "-set_serial", "2"),
            *("-extfile", str(extensions), "-out", str(issued.certificate)),
            *("-CA", str(authority.certificate), "-CAkey", str(authority.key)),
        ),
    ):
        subprocess.run(["openssl", *command], check=True, capture_output=True, timeout=60)
    return issued, authority.certificate


@functools.cache
def loopback_certificate() -> Certificate:
    """The certificate that all fake servers of this process share."""
    directory = Path(tempfile.mkdtemp(prefix="fake-api-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return make_certificate(directory, names=f"IP:127.0.0.1,IP:::1,DNS:localhost,DNS:{SERVER_NAME}")
