"""Whose connections are counted together."""

from app.core.server.crowding import Owners
from app.core.server.protocol_limits import Limits


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
