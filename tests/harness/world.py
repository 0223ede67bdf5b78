"""The services of the Internet that the tests talk to; runs as a program inside the namespace `npg-world`.

HTTP on 80, HTTPS on 443, echo over TCP and UDP on 9000, each on every address of every host, so that
a policy for one address or port has a neighbour to be compared with.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tests.harness import layout
from tests.harness.processes import Component

HTTP_PORT = 80
HTTPS_PORT = 443
ECHO_PORT = 9000
_IDLE_SECONDS = 300.0
_CHUNK = 65536
# A scan or a reset must not end the services; asyncio has a timeout of its own until Python 3.11.
_CLIENT_FAULTS = (ConnectionError, TimeoutError, asyncio.TimeoutError)


@dataclass(frozen=True)
class Listener:
    """One host's services on one of its addresses."""

    name: str
    address: str
    http_port: int = HTTP_PORT
    https_port: int = HTTPS_PORT
    echo_port: int = ECHO_PORT


class UdpEcho(asyncio.DatagramProtocol):
    """Sends every datagram back to where it came from."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket for the answers."""
        # Not isinstance: asyncio's own datagram transport is no DatagramTransport before Python 3.12.
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer with the same bytes."""
        self.transport.sendto(data, addr)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what arrives until the client is done or long silent."""
    with contextlib.suppress(*_CLIENT_FAULTS):
        while received := await asyncio.wait_for(reader.read(_CHUNK), _IDLE_SECONDS):
            writer.write(received)
            await writer.drain()
    await _close(writer)


@dataclass(frozen=True)
class HttpAnswer:
    """Answers every request with 200 and the host's name, and closes the connection."""

    name: str

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request."""
        with contextlib.suppress(*_CLIENT_FAULTS, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _IDLE_SECONDS)
            body = f"{self.name}\n".encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
            writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
            await writer.drain()
        await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, ssl.SSLError):
        await writer.wait_closed()


def tls_context(name: str, certificates: Path) -> ssl.SSLContext:
    """TLS with the host's own certificate, as the harness's authority signed it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.crt", certificates / f"{name}.key")
    return context


@dataclass(frozen=True)
class Services:
    """What one listener runs: HTTP, HTTPS and echo over TCP, and echo over UDP."""

    servers: tuple[asyncio.Server, asyncio.Server, asyncio.Server]
    datagrams: asyncio.DatagramTransport

    async def close(self) -> None:
        """End all four."""
        self.datagrams.close()
        for server in self.servers:
            server.close()
            await server.wait_closed()


async def listen(listener: Listener, tls: ssl.SSLContext) -> Services:
    """Start one listener's four services."""
    answer = HttpAnswer(listener.name)
    where = listener.address
    loop = asyncio.get_running_loop()
    datagrams, _ = await loop.create_datagram_endpoint(UdpEcho, local_addr=(where, listener.echo_port))
    servers = (
        await asyncio.start_server(answer, where, listener.http_port),
        await asyncio.start_server(answer, where, listener.https_port, ssl=tls),
        await asyncio.start_server(echo, where, listener.echo_port),
    )
    return Services(servers, datagrams)


async def serve(certificates: Path) -> None:
    """Serve every host on both of its addresses until killed."""
    running = []
    for host in layout.WORLD_HOSTS:
        tls = tls_context(host.name, certificates)
        for address in (host.address, host.address_v6):
            running.append(await listen(Listener(host.name, address), tls))
    print(f"{len(running)} addresses are served", flush=True)
    await asyncio.gather(*(server.serve_forever() for services in running for server in services.servers))


def dns_arguments() -> list[str]:
    """The command line of the Internet's name server: the hosts' names, and nothing else exists."""
    hosts = [f"--host-record={host.name},{host.address},{host.address_v6}" for host in layout.WORLD_HOSTS]
    dns = layout.WORLD_DNS
    return [
        *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--pid-file="),
        *("--no-resolv", "--no-hosts", "--bind-interfaces", "--address=/#/"),
        *(f"--listen-address={dns.address}", f"--listen-address={dns.address_v6}", *hosts),
    ]


def components(certificates: Path) -> tuple[Component, Component]:
    """The two programs of the world: its services and its name server."""
    services = (sys.executable, "-m", "tests.harness.world", "--certificates", str(certificates))
    return (
        Component("world", services, layout.WORLD),
        Component("world-dns", tuple(dns_arguments()), layout.WORLD),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry of the program."""
    parser = argparse.ArgumentParser(description="The services of npg-world.")
    parser.add_argument("--certificates", type=Path, required=True)
    asyncio.run(serve(parser.parse_args(arguments).certificates))


if __name__ == "__main__":
    main()
