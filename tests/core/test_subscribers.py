"""Who is counted as one, by connections, streams and rates alike."""

from app.core.subscribers import subscriber_of


def test_an_address_is_counted_by_the_network_of_its_subscriber() -> None:
    addresses = {
        "192.0.2.7": "192.0.2.7",
        "::ffff:192.0.2.7": "192.0.2.7",
        "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
        "2001:db8:1:2:ffff::": "2001:db8:1:2::/64",
        "fe80::1%eth0": "fe80::/64",
        "not:an:address": "not:an:address",
        "/run/socket": "/run/socket",
    }
    assert {address: subscriber_of(address) for address in addresses} == addresses
