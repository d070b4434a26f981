"""Looks at the certificate and the key of TLS before anything is done with them."""

import ssl
from collections.abc import Iterator
from pathlib import Path

CERTIFICATE, KEY = "TRADE_MISSIONS_TLS_CERTIFICATE", "TRADE_MISSIONS_TLS_KEY"


def certificate_faults(certificate: Path | None, key: Path | None) -> Iterator[str]:
    """What keeps HTTPS from being served with these files, in sentences; none without any.

    Without a key it stands in the certificate's file.
    """
    if certificate is None:
        return
    named = {CERTIFICATE: certificate} | ({KEY: key} if key else {})
    content: dict[str, bytes] = {}
    for variable, file in named.items():
        try:
            content[variable] = file.read_bytes()
        except OSError as error:
            yield f"{variable}: {file}: {error.strerror or error}."
    if len(content) < len(named):
        return
    where, secret = (KEY, key) if key else (CERTIFICATE, certificate)
    if b"-----BEGIN CERTIFICATE-----" not in content[CERTIFICATE]:
        yield f"{CERTIFICATE}: {certificate} holds no certificate in PEM."
    if b"PRIVATE KEY-----" not in content[where]:
        yield f"{where}: {secret} holds no private key in PEM."
    elif b"ENCRYPTED" in content[where]:
        yield f"{where}: {secret} is locked with a password: a key without one is needed."
    else:
        yield from _unfitting(certificate, key)


def _unfitting(certificate: Path, key: Path | None) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            yield f"{KEY}: {key or certificate} is not the key of {certificate}."
        else:
            reason = (error.reason or str(error)).replace("_", " ").lower()
            yield f"{CERTIFICATE} and {KEY}: the files cannot be used ({reason})."
