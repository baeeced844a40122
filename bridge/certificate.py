"""The certificate this server shows: made once for the names of this machine, or one that was given.

Its files are looked at before each handshake, so a renewed one is shown without a restart. Files that do not fit, as
while only one of two has been replaced, change nothing.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
import os
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from bridge.policy.zones import IpAddress, bare
from bridge.wire.tls import HTTP

logger = logging.getLogger("roombridge.tls")

OWN_FILE: Final = "tls.pem"
VALID_DAYS: Final = 820
"""Apple's systems take none that is good for more than 825 days (support.apple.com/103769)."""
RENEW_DAYS: Final = 30
_PEM_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)

_Seen = list[tuple[int, int, int]]


class Certificate:
    """`cert` is a PEM file with the chain; its key is in `key`, or beside it. Raises `OSError` or `ValueError`."""

    def __init__(self, cert: Path, key: Path | None = None) -> None:
        self._cert = cert
        self._key = key
        self._seen = self._look()
        self._context = _context(cert, key)
        self.fingerprint = fingerprint(cert)

    def context(self) -> ssl.SSLContext:
        """For the next handshake."""
        try:
            if (seen := self._look()) != self._seen:
                self._seen = seen  # also of files that do not fit: they are complained of once
                self._context, self.fingerprint = _context(self._cert, self._key), fingerprint(self._cert)
                logger.info("another certificate is shown from now on: SHA-256 %s", self.fingerprint)
        except (OSError, ValueError) as exc:
            logger.warning("the certificate shown stays as it was, for %s cannot be used: %s", self._cert, exc)
        return self._context

    def _look(self) -> _Seen:
        found = [os.stat(path) for path in (self._cert, self._key) if path is not None]
        return [(stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in found]


def own(folder: Path, names: Iterable[str]) -> Path:
    """The file of the certificate that this server made for itself; made if there is none, or if its end is near."""
    path = folder / OWN_FILE
    if not path.exists() or days_left(path) < RENEW_DAYS:
        _write(path, _made([*machine_names(), *names]))
    return path


def machine_names() -> list[str]:
    """Every name and address by which this machine may be called."""
    import ifaddr

    host = socket.gethostname().partition(".")[0]
    addresses = [ip.ip if ip.is_IPv4 else ip.ip[0] for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return ["localhost", host, f"{host}.local", *map(str, addresses)]


def names_in(path: Path) -> set[str]:
    """The names and addresses that a certificate is for. Raises `ValueError`."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    try:
        called = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value) for name in called}


def days_left(path: Path) -> float:
    """How long a certificate is good for. Raises `ValueError`."""
    from cryptography import x509

    until = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    return (until - datetime.datetime.now(datetime.UTC)) / datetime.timedelta(days=1)


def fingerprint(path: Path) -> str:
    """SHA-256 of the first certificate of a PEM file, as browsers and `openssl x509 -fingerprint` write it."""
    if (first := _PEM_CERTIFICATE.search(path.read_text(encoding="utf-8", errors="replace"))) is None:
        raise ValueError(f"{path} holds no certificate")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[0])).digest().hex(":").upper()


def _context(cert: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols([HTTP.decode()])
    # A sender that only ever sends would close on tickets it has not read: that is a reset, and takes its tail with it.
    context.num_tickets = 0
    context.load_cert_chain(cert, key, password="")  # else OpenSSL would ask the terminal for one
    return context


def _made(names: Iterable[str]) -> bytes:
    """A new key, P-256, and a certificate for it that it signs itself, in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    called = [
        x509.DNSName(name) if isinstance(name, str) else x509.IPAddress(name) for name in dict.fromkeys(_usable(names))
    ]
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"roombridge on {socket.gethostname()}"[:64])])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # clocks of others may be behind
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(called), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _usable(names: Iterable[str]) -> Iterator[str | IpAddress]:
    """Addresses as addresses, names as DNS knows them; what is neither cannot be certified."""
    for name in names:
        try:
            yield bare(name)
        except ValueError:
            with suppress(UnicodeError):
                if name:
                    yield name.encode("idna").decode()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and for its owner's eyes only."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    new.replace(path)
