"""Which addresses of the network webhooks may go to, and connections that go nowhere else."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore

#: Public by the look of them, and yet not for everybody.
_IPV4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # behind a carrier's NAT (RFC 6598)
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # the platform's own services on Azure
        "169.254.0.0/16",  # link-local, and metadata of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
]
#: All that is assigned to anybody (IANA): so neither ::1, fc00::/7, fe80::/10, ff00::/8, nor
#: IPv4-mapped addresses (::ffff:0:0/96) and those of NAT64 (64:ff9b::/96, 64:ff9b:1::/48).
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
_IPV6 = [
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them (RFC 2928, RFC 4380)
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4: holds an address of IPv4 (RFC 3056)
        "3fff::/20",  # documentation (RFC 9637)
    )
]
#: The middle of an interface's id that holds an address of IPv4 (ISATAP, RFC 5214).
_ISATAP = (0x00005EFE, 0x02005EFE)


def is_public(text: str) -> bool:
    """Whether an IP address is one that anybody on the internet could be reached at."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _IPV4)
    if address.scope_id is not None or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return False
    return address in _GLOBAL_IPV6 and not any(address in network for network in _IPV6)


def anywhere(text: str) -> bool:
    """Permits every address."""
    return True


class Forbidden(httpcore.ConnectError):
    """Nothing is sent there: the name has only addresses that are not permitted."""


Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the order in which to try them."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"The name {host!r} has no address: {error}.") from error
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that are permitted and to no others.

    A name is looked up once, and the very address that was judged is connected to: a name that
    changes its address in between (DNS rebinding) leads nowhere else. Certificates and the Host
    header are still of the name.
    """

    def __init__(self, permits: Callable[[str], bool], resolve: Resolve = resolve) -> None:
        self._permits, self._resolve = permits, resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (as httpcore calls it)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        found = await self._resolve(host, port)
        permitted = [address for address in found if self._permits(address)]
        if not permitted:
            raise Forbidden(f"{host} is at {', '.join(found[:3])}, which is not a public address.")
        problem: Exception | None = None
        for address in permitted[:4]:
            try:
                stream = await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
                continue
            return await self._checked(stream, host)
        assert problem is not None
        raise problem

    async def _checked(
        self, stream: httpcore.AsyncNetworkStream, host: str
    ) -> httpcore.AsyncNetworkStream:
        """The stream, when its other end is where it should be."""
        peer = stream.get_extra_info("server_addr")
        if peer is None or not self._permits(str(peer[0])):
            await stream.aclose()
            raise Forbidden(f"{host} led to {peer}, which is not a public address.")
        return stream

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise Forbidden("Webhooks do not go to sockets of this machine.")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
