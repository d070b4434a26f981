"""HTTPS by the server itself, with a certificate and its key from the settings."""

import datetime
import ssl
from contextlib import ExitStack
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.faults.conftest import copied
from tests.faults.wire import Wire, head
from tests.servers import running_server
from tests.templates import seeded_url


def made_certificate(folder: Path) -> dict[str, Path]:
    """A certificate for 127.0.0.1 that signs itself, as the settings name it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    files = {"tls_certificate": folder / "certificate.pem", "tls_key": folder / "key.pem"}
    encoding = serialization.Encoding.PEM
    files["tls_certificate"].write_bytes(certificate.public_bytes(encoding))
    private = serialization.PrivateFormat.PKCS8
    files["tls_key"].write_bytes(key.private_bytes(encoding, private, serialization.NoEncryption()))
    return files


def test_https_is_served_with_the_same_bounds(tmp_path: Path) -> None:
    """By one process and by two, at the same time: each takes its time to end a connection."""
    files = made_certificate(tmp_path)
    context = ssl.create_default_context(cafile=files["tls_certificate"])
    context.check_hostname = False
    with ExitStack() as stack:
        servers, wires = [], []
        for workers in ("1", "2"):
            folder = tmp_path / workers
            folder.mkdir()
            url = copied(seeded_url("sqlite"), folder)
            running = running_server(url, folder, "--workers", workers, **files)
            servers.append(stack.enter_context(running))
        for server in servers:
            assert server.address.startswith("https://")
            assert httpx.get(f"{server.address}/missions", verify=context).status_code == 200
            wire = stack.enter_context(Wire(server))
            wire.socket = context.wrap_socket(wire.socket)
            answer = wire.send(head("GET /миссии HTTP/1.1", encoding="utf-8")).answer()
            assert answer.status == 400
            assert answer.problem
            plain = stack.enter_context(Wire(server))
            plain.send(head("GET /missions HTTP/1.1"))
            wires += [wire, plain]
        assert all(wire.ends() for wire in wires)
        for server in servers:
            assert server.stop() == 0
            assert "Traceback" not in server.text()
