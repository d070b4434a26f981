"""Webhooks go to public addresses, and what is judged is what is connected to."""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.core.ssrf import Forbidden, GuardedNetwork, Resolve, anywhere, is_public
from app.webhooks.sender import Sender
from tests.webhooks.hooks import create, hooked, settled
from tests.webhooks.receiver import receiving
from tests.webhooks.servers import add_person

SECRET = "whsec_" + "c2VjcmV0" * 4
PUBLIC = ("1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4010:c0e::71")
PRIVATE = (
    # This machine, and every address.
    *("127.0.0.1", "127.1.2.3", "127.255.255.254", "0.0.0.0", "0.1.2.3", "::", "::1"),
    # Private networks, and those behind the NAT of a carrier.
    *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("100.64.0.1", "100.100.100.200", "100.127.255.255", "fc00::1", "fd00:ec2::254", "fec0::1"),
    # Link-local, with the metadata of clouds.
    *("169.254.0.1", "169.254.169.254", "169.254.170.2", "fe80::1", "fe80::1%eth0"),
    *("168.63.129.16", "192.0.0.192", "192.0.0.170"),
    # Multicast, broadcast, reserved, documentation, measurement.
    *("224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "ff02::1", "ff0e::1"),
    *("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.255"),
    *("2001:db8::1", "3fff::1", "100::1", "2001::1", "2001:2::1", "192.88.99.1", "5f00::1"),
    # Addresses of IPv4 within those of IPv6.
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8"),
    *("64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1"),
    *("2a00:1450::5efe:10.0.0.1", "2a00:1450::200:5efe:10.0.0.1"),
    # No addresses.
    *(
        "",
        "localhost",
        "example.org",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "1.1.1.1 ",
    ),
)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_permitted(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_any_other_address_is_not(address: str) -> None:
    assert not is_public(address)


def test_nothing_is_permitted_that_python_knows_to_be_private() -> None:
    for first in range(256):
        for second in range(0, 256, 3):
            text = f"{first}.{second}.7.9"
            address = ip_address(text)
            assert not is_public(text) or (address.is_global and not address.is_multicast), text


def resolving(*answers: Sequence[str]) -> tuple[Resolve, list[str]]:
    """A resolver with these answers, one after the other, and the names it was asked for."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return list(answers[min(len(asked), len(answers)) - 1])

    return resolve, asked


# The connection


async def test_a_name_that_leads_to_this_machine_is_not_connected_to() -> None:
    async with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "hooks.example.org")
        for addresses in (["127.0.0.1"], ["::1", "127.0.0.1"], ["::ffff:127.0.0.1"], []):
            resolve, _ = resolving(addresses)
            post = Sender(is_public, 5, resolve)
            outcome = await post.send(url, "id", b"{}", [SECRET])
            await post.close()
            assert outcome.error is not None
            assert "not a public address" in outcome.error
        assert receiver.connections == 0


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "0"])
async def test_a_name_that_the_system_takes_for_this_machine_is_not_connected_to(host: str) -> None:
    async with receiving() as receiver:
        post = Sender(is_public, 5)
        outcome = await post.send(receiver.url.replace("127.0.0.1", host), "id", b"{}", [SECRET])
        await post.close()
        assert outcome.status is None
        assert receiver.connections == 0


async def test_a_name_is_looked_up_once_and_the_address_that_was_judged_is_connected_to() -> None:
    """DNS rebinding: the second answer, which a careless client would connect to, is not asked."""
    judged: list[str] = []

    def permits(address: str) -> bool:
        judged.append(address)
        return address == "127.0.0.1"

    async with receiving() as receiver:
        resolve, asked = resolving(["127.0.0.1"], ["127.0.0.2"])
        post = Sender(permits, 5, resolve)
        url = receiver.url.replace("127.0.0.1", "hooks.example.org")
        assert (await post.send(url, "id", b"{}", [SECRET])).error is None
        await post.close()
        assert asked == ["hooks.example.org"]
        # Before connecting, and the other end once connected.
        assert judged == ["127.0.0.1", "127.0.0.1"]
        (message,) = receiver.messages
        assert message.headers["host"] == url.split("/")[2]


async def test_every_new_connection_is_judged_anew() -> None:
    async with receiving() as receiver:
        resolve, asked = resolving(["127.0.0.1"], ["127.0.0.2"])
        network = GuardedNetwork(lambda address: address == "127.0.0.1", resolve)
        port = int(receiver.url.split(":")[2].split("/")[0])
        stream = await network.connect_tcp("hooks.example.org", port)
        await stream.aclose()
        with pytest.raises(Forbidden):
            await network.connect_tcp("hooks.example.org", port)
        assert len(asked) == 2


async def test_of_several_addresses_only_those_that_are_permitted_are_tried() -> None:
    async with receiving() as receiver:
        resolve, _ = resolving(["127.0.0.2", "127.0.0.1"])
        network = GuardedNetwork(lambda address: address == "127.0.0.1", resolve)
        port = int(receiver.url.split(":")[2].split("/")[0])
        stream = await network.connect_tcp("hooks.example.org", port)
        assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
        await stream.aclose()


async def test_sockets_of_this_machine_are_not_connected_to() -> None:
    with pytest.raises(Forbidden):
        await GuardedNetwork(anywhere).connect_unix_socket("/run/some.sock")


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with receiving() as receiver:
        post = Sender(anywhere, 5)
        assert (await post.send(receiver.url, "id", b"{}", [SECRET])).error is None
        await post.close()


# TLS


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server with a certificate for this name, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = built.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(private + pem)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(folder / "server.pem")
    return serving, ssl.create_default_context(cadata=pem.decode())


async def test_the_certificate_is_asked_for_and_judged_by_the_name(tmp_path: Path) -> None:
    serving, trusting = certificate(tmp_path, "hooks.example.org")
    names: list[str | None] = []
    serving.sni_callback = lambda _, name, __: names.append(name)
    resolve, _ = resolving(["127.0.0.1"])
    async with receiving(serving) as receiver:
        post = Sender(anywhere, 5, resolve, trusting)
        for host, is_right in (("hooks.example.org", True), ("other.example.org", False)):
            url = receiver.url.replace("127.0.0.1", host)
            outcome = await post.send(url, "id", b"{}", [SECRET])
            assert (outcome.error is None) is is_right, outcome
        await post.close()
        assert names == ["hooks.example.org", "other.example.org"]
        assert len(receiver.messages) == 1


async def test_a_certificate_of_nobody_known_is_refused(tmp_path: Path) -> None:
    serving, _ = certificate(tmp_path, "localhost")
    async with receiving(serving) as receiver:
        post = Sender(anywhere, 5)
        url = receiver.url.replace("127.0.0.1", "localhost")
        outcome = await post.send(url, "id", b"{}", [SECRET])
        await post.close()
        assert "CERTIFICATE_VERIFY_FAILED" in str(outcome.error)
        assert receiver.messages == []


# Through the API


async def test_a_webhook_that_leads_to_this_machine_gets_nothing(fresh_url: str) -> None:
    async with hooked(fresh_url, private=False, schedule=[]) as client, receiving() as receiver:
        webhook = await create(client, receiver.url.replace("127.0.0.1", "127.1"))
        await add_person(client, "Somebody")
        (delivery,) = await settled(client, webhook, 1)
        assert delivery["state"] == "dead"
        assert "not a public address" in delivery["error"]
        assert receiver.connections == 0


async def test_a_connection_that_is_never_made_comes_to_an_end() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    post = Sender(anywhere, 0.2, never)
    outcome = await post.send("http://hooks.example.org/", "id", b"{}", [SECRET])
    await post.close()
    assert outcome.error == "No answer within 0.2 seconds."


def test_a_refusal_is_an_error_of_the_connection() -> None:
    assert issubclass(Forbidden, httpcore.NetworkError)
