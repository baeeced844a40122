"""The certificate of a server: made once and kept, shown anew when its files are others."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest

from bridge import certificate
from bridge.certificate import Certificate, days_left, fingerprint, own
from tests.support.program import done, tool


def told(path: Path, *what: str) -> str:
    """What OpenSSL reads in a certificate."""
    ended = done(tool("openssl"), "x509", "-in", path, "-noout", *what)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.decode()


def test_ours_is_made_once_for_this_machine_and_read_by_nobody_else(tmp_path: Path) -> None:
    path = own(tmp_path, ["room.lan", "räume.lan", "10.9.8.7", "", "no name\udce9"])
    text = told(path, "-text")
    assert "ASN1 OID: prime256v1" in text
    for name in (
        "DNS:localhost",
        "DNS:room.lan",
        "DNS:xn--rume-loa.lan",
        "IP Address:127.0.0.1",
        "IP Address:10.9.8.7",
    ):
        assert name in text
    assert "CA:FALSE" in text and "TLS Web Server Authentication" in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert fingerprint(path) in told(path, "-fingerprint", "-sha256")
    before = path.read_bytes()
    assert own(tmp_path, ["other.lan"]).read_bytes() == before, "whoever knows it shall know it again"
    assert [file.name for file in tmp_path.iterdir()] == [certificate.OWN_FILE]


def test_ours_is_made_again_when_its_end_is_near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "VALID_DAYS", certificate.RENEW_DAYS - 1)
    first = own(tmp_path, []).read_bytes()
    monkeypatch.undo()
    assert own(tmp_path, []).read_bytes() != first
    assert 815 < days_left(tmp_path / certificate.OWN_FILE) <= 825


def given(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate and its key in two files, as others make them."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subject = ("-subj", f"/CN={name}", "-days", "9")
    ended = done(
        tool("openssl"),
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", key, "-out", cert, *subject),
    )
    assert ended.returncode == 0, ended.stderr
    return cert, key


def test_another_one_is_shown_once_both_its_files_are_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cert, key = given(tmp_path, "old")
    shown = Certificate(cert, key)
    old, context = shown.fingerprint, shown.context()
    assert shown.context() is context
    new_cert, new_key = given(tmp_path, "new")
    new_cert.replace(cert)
    assert [shown.context() for _ in range(3)] == [context] * 3, "the key is still the old one's"
    assert shown.fingerprint == old
    assert caplog.text.count("stays as it was") == 1
    new_key.replace(key)
    assert shown.context() is not context
    assert shown.fingerprint == fingerprint(cert) != old
    kept = shown.context()
    cert.unlink()
    assert shown.context() is kept


def test_what_is_no_certificate_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.pem"
    for content in ("", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        path.write_text(content)
        with pytest.raises((OSError, ValueError)):
            Certificate(path)
    with pytest.raises(OSError):
        Certificate(tmp_path / "missing.pem")


def test_a_key_under_a_password_is_refused_and_not_asked_for(tmp_path: Path) -> None:
    cert, key = given(tmp_path, "locked")
    locked = tmp_path / "locked2.key"
    ended = done(tool("openssl"), "ec", "-in", key, "-aes256", "-passout", "pass:word", "-out", locked)
    assert ended.returncode == 0, ended.stderr
    with pytest.raises(OSError):
        Certificate(cert, locked)


def test_what_is_shown_is_modern_and_leaves_nothing_unread(tmp_path: Path) -> None:
    context = Certificate(own(tmp_path, [])).context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.num_tickets == 0
    assert context.options & ssl.OP_NO_RENEGOTIATION
