"""One number for TCP and UDP, and for both families."""

from __future__ import annotations

import errno
import socket
from contextlib import ExitStack

import pytest

from bridge import sockets
from bridge.sockets import bind, bind_everywhere


def test_tcp_and_udp_have_one_number() -> None:
    with ExitStack() as stack:
        pair = bind("127.0.0.1", 0)
        stack.callback(pair.close)
        assert pair.tcp.getsockname() == pair.udp.getsockname() == (pair.ip, pair.port)


def test_both_families_have_one_number() -> None:
    with ExitStack() as stack:
        pairs = bind_everywhere(0)
        for pair in pairs:
            stack.callback(pair.close)
        assert [pair.ip for pair in pairs] == ["0.0.0.0", "::"]
        assert len({pair.port for pair in pairs}) == 1


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")])
def test_a_number_that_is_taken_is_an_error_and_nothing_stays_open(
    kind: socket.SocketKind, family: socket.AddressFamily, host: str
) -> None:
    with socket.socket(family, kind) as holder:
        if family is socket.AF_INET6:
            holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        holder.bind((host, 0))
        if kind is socket.SOCK_STREAM:
            holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot serve on {host}:{port}") as fault:
            bind_everywhere(port)
        assert fault.value.errno == errno.EADDRINUSE


def test_without_ipv6_the_other_family_is_served(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = socket.getaddrinfo

    def none_of_ipv6(host: str, *rest: object, **more: object) -> object:
        if ":" in host:
            raise socket.gaierror(socket.EAI_FAMILY, "Address family for hostname not supported")
        return real(host, *rest, **more)

    monkeypatch.setattr(sockets.socket, "getaddrinfo", none_of_ipv6)
    (pair,) = bind_everywhere(0)
    with pair.tcp, pair.udp:
        assert pair.port
    assert "only IPv4 is served" in caplog.text
