"""Whose address a client's is: limits and bounds count by it."""

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address


@lru_cache(10_000)
def subscriber_of(host: str) -> str:
    """The address itself, or of IPv6 the network of 64 bits that one subscriber has."""
    if ":" not in host:
        return host
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    # A socket for both kinds shows addresses of IPv4 so.
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))
