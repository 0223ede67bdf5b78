"""The outside's services, on free ports of the loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.components import needs
from tests.harness import pki, world
from tests.harness.world import Listener


@asynccontextmanager
async def listening(tls: ssl.SSLContext) -> AsyncIterator[list[int]]:
    """One listener on ports that the kernel chose: HTTP, HTTPS, echo over TCP, echo over UDP."""
    services = await world.listen(Listener("api.example.test", "127.0.0.1", 0, 0, 0), tls)
    ports = [server.sockets[0].getsockname()[1] for server in services.servers]
    try:
        yield [*ports, services.datagrams.get_extra_info("sockname")[1]]
    finally:
        await services.close()


async def talk(port: int, said: bytes, tls: ssl.SSLContext | None = None) -> bytes:
    """Say something and hear everything until the other side closes."""
    name = "api.example.test" if tls else None
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=name)
    writer.write(said)
    if tls is None:
        writer.write_eof()
    heard = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    return heard


def test_http_answers_200_with_the_hosts_name() -> None:
    async def ask() -> bytes:
        async with listening(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as (http, *_):
            return await talk(http, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    answer = asyncio.run(ask())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\napi.example.test\n")


def test_echo_over_tcp_returns_the_same_bytes() -> None:
    async def ask() -> bytes:
        async with listening(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as (_, _, echo, _):
            return await talk(echo, b"\x00hello" * 1000)

    assert asyncio.run(ask()) == b"\x00hello" * 1000


@needs("openssl")
def test_https_shows_a_certificate_of_the_harness(tmp_path: Path) -> None:
    authority = pki.Authority(tmp_path)
    authority.create()
    authority.issue(pki.Certificate("api.example.test", "api", names=("DNS:api.example.test",)))

    async def ask() -> bytes:
        async with listening(world.tls_context("api.example.test", tmp_path)) as (_, https, *_):
            trusting = ssl.create_default_context(cafile=str(authority.certificate))
            return await talk(https, b"GET / HTTP/1.1\r\n\r\n", trusting)

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 200 OK\r\n")


class Listen(asyncio.DatagramProtocol):
    """Keeps the first datagram."""

    def __init__(self) -> None:
        """Nothing heard yet."""
        self.heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Keep it."""
        self.heard.set_result(data)


def test_echo_over_udp_returns_the_same_bytes() -> None:
    async def ask() -> bytes:
        async with listening(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as (*_, echo):
            loop = asyncio.get_running_loop()
            client, protocol = await loop.create_datagram_endpoint(Listen, remote_addr=("127.0.0.1", echo))
            client.sendto(b"hello")
            heard = await asyncio.wait_for(protocol.heard, 5)
            client.close()
            return heard

    assert asyncio.run(ask()) == b"hello"


def test_a_client_that_leaves_early_does_no_harm() -> None:
    async def ask() -> bytes:
        async with listening(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as (http, *_):
            await talk(http, b"GET")
            return await talk(http, b"GET / HTTP/1.1\r\n\r\n")

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 200 OK\r\n")


def test_the_name_server_knows_both_families_of_both_hosts_and_nothing_else() -> None:
    arguments = world.dns_arguments()
    assert "--host-record=api.example.test,203.0.113.10,2001:db8::10" in arguments
    assert "--host-record=cdn.example.test,203.0.113.20,2001:db8::20" in arguments
    assert {"--no-resolv", "--no-hosts", "--address=/#/"} <= set(arguments)
