"""Whose connections are counted together."""

from app.core.server.crowding import Owners, network_of
from app.core.server.protocol_limits import Limits


def test_an_address_is_counted_by_the_network_of_its_subscriber() -> None:
    addresses = {
        "192.0.2.7": "192.0.2.7",
        "::ffff:192.0.2.7": "192.0.2.7",
        "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
        "2001:db8:1:2:ffff::": "2001:db8:1:2::/64",
        "/run/socket": "/run/socket",
    }
    assert {address: network_of(address) for address in addresses} == addresses


def test_a_proxy_that_is_trusted_brings_the_connections_of_others() -> None:
    owners = Owners(Limits(connections=4, proxies="10.0.0.0/8"))
    assert owners.add(("10.1.2.3", 1)) is None
    assert not owners.is_crowded(None)
    owner = owners.add(("192.0.2.7", 1))
    assert not owners.is_crowded(owner)
    assert owners.add(("192.0.2.7", 2)) == owner
    assert owners.is_crowded(owner)
    owners.remove(str(owner))
    assert not owners.is_crowded(owner)
