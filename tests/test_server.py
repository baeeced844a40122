"""The house as a whole: one to a folder, one to a port, and how it closes."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import observe
from tests.support.peers import PATIENCE_S, DatagramPeer, LinePeer, UploadPeer
from tests.support.process import CHECKOUT, Running
from tests.support.program import done
from tests.support.streams import RawBrowser, everything, request

DRAINED_S = 10.0


def start_in_vain(*options: object) -> str:
    """What a server says that cannot be: exit code 2, one line on stderr, none on stdout."""
    ended = done(sys.executable, "-m", "bridge", *options, env={"PYTHONPATH": str(CHECKOUT)})
    assert ended.returncode == 2, ended
    assert ended.stdout == b""
    said = ended.stderr.decode()
    assert said.startswith("roombridge: "), said
    assert said.count("\n") == 1
    return said


def test_the_one_line_on_stdout_has_the_real_port_for_tcp_and_udp(running: Running) -> None:
    assert running.port != 0
    assert running.url == f"http://127.0.0.1:{running.port}/"
    assert observe.fetch(running.address, "GET", "/healthz")[2] == b"ok\n"
    with DatagramPeer(running.address) as peer:
        peer.say("")
        assert peer.read().startswith("* welcome")
    running.signal(signal.SIGTERM)
    assert running.process.stdout.read() == "", "nothing follows the line"
    assert running.wait() == 0


def test_a_second_server_on_one_folder_names_it_and_exits(running: Running, tmp_path: Path) -> None:
    said = start_in_vain("--port", 0, "--data", running.data)

    assert str(running.data) in said
    assert "in use" in said
    assert observe.fetch(running.address, "POST", "/", b"still here")[0] == 201

    running.kill()
    running.start()
    assert observe.texts(running.address) == ["still here"], "a killed server leaves no lock behind"


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert str(tmp_path / "file") in start_in_vain("--port", 0, "--data", tmp_path / "file" / "data")

    data = tmp_path / "data"
    data.mkdir()
    (data / "log.sqlite3").write_bytes(b"no database at all" * 100)
    assert str(data / "log.sqlite3") in start_in_vain("--port", 0, "--data", data)


def test_a_port_that_is_taken_is_named_and_never_left_for_another(running: Running, tmp_path: Path) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        for port in (running.port, udp.getsockname()[1]):  # TCP and UDP taken; UDP alone
            said = start_in_vain("--port", port, "--data", tmp_path / "other")
            assert f"127.0.0.1:{port}" in said
            assert "in use" in said
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        port = tcp.getsockname()[1]
        assert f"127.0.0.1:{port}" in start_in_vain("--port", port, "--data", tmp_path / "other")
        said = start_in_vain("--port", 0, "--listen", f"127.0.0.1:{port}", "--data", tmp_path / "other")
        assert f"127.0.0.1:{port}" in said


def test_a_server_takes_its_port_back_at_once(running: Running) -> None:
    with LinePeer(running.address) as line:  # a connection that the server closes first
        line.say("")
        assert line.read().startswith("* welcome")
        assert running.stop() == 0
        running.start()
    assert observe.fetch(running.address, "GET", "/healthz")[0] == 200


def test_every_further_address_leads_to_the_same_rooms_by_tcp_and_udp(
    run: Callable[..., Running], free_port: int
) -> None:
    running = run("--listen", f"127.0.0.2:{free_port}")
    further = ("127.0.0.2", free_port)
    with LinePeer(further) as line, DatagramPeer(running.address) as near, DatagramPeer(further) as far:
        line.say("")
        assert line.read().startswith("* welcome to lobby")
        near.say("near")
        assert line.read().endswith("] near")
        far.say("far")
        assert line.read().endswith("] far")
        assert near.read().startswith("* welcome")
        assert near.read().endswith("] far\n")
    assert observe.fetch(further, "POST", "/", b"by curl")[0] == 201
    assert observe.log(further) == observe.log(running.address)
    assert [entry["text"] for entry in observe.log(further)] == ["near", "far", "by curl"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_drains_everybody_and_ends_with_0(running: Running, number: signal.Signals) -> None:
    with (
        RawBrowser(running.address) as browser,
        RawBrowser(running.address) as deaf,
        LinePeer(running.address) as line,
        DatagramPeer(running.address) as datagrams,
        UploadPeer(running.address) as upload,
        socket.create_connection(running.address, PATIENCE_S) as put,
        socket.create_connection(running.address, PATIENCE_S) as events,
        socket.create_connection(running.address, PATIENCE_S) as idle,
        socket.create_connection(running.address, PATIENCE_S) as begun,
    ):
        line.say("")
        datagrams.say("")
        assert line.read().startswith("* welcome")
        assert datagrams.read().startswith("* welcome")
        upload.header(file_name="half.bin", file_size=100_000)
        upload.socket.sendall(b"x" * 500)
        put.sendall(request("PUT /half.bin HTTP/1.1", "Content-Length: 100000", body=b"x" * 500))
        events.sendall(request("GET /r/lobby/events HTTP/1.1"))
        begun.sendall(b"GE")
        observe.until(lambda: len(observe.files_in(running.data)[0]) == 2, "both files are half way")
        assert b"200 OK" in events.recv(65536)
        assert observe.fetch(running.address, "POST", "/", b"last words")[0] == 201

        started = time.monotonic()
        running.signal(number)
        closed = []
        while closed[-1:] != [{"close": 1001}]:
            closed += browser.read()
        assert line.read_until("shutting down")[-1] == "* bye: the server is shutting down"
        assert line.read() == ""
        assert datagrams.read().endswith("] last words\n")
        assert datagrams.read() == "* bye: the server is shutting down\n"
        assert running.wait() == 0
        assert time.monotonic() - started < DRAINED_S
        assert everything(events).endswith(b"0\r\n\r\n")
        for connection in (idle, begun, upload.socket, deaf.socket):
            everything(connection)

    running.start()
    assert observe.texts(running.address) == ["last words"]
    assert observe.files_in(running.data) == ([], [])


def test_a_signal_right_after_the_line_is_obeyed(run: Callable[..., Running], tmp_path: Path) -> None:
    for number in range(3):
        running = run(data=tmp_path / f"data-{number}")
        running.signal(signal.SIGINT if number % 2 else signal.SIGTERM)
        assert running.wait() == 0


def test_a_signal_while_the_server_starts_ends_it(tmp_path: Path) -> None:
    """Before the line nobody is promised a 0; but it goes, and leaves a folder that the next one can use."""
    arguments = [sys.executable, "-m", "bridge", "--port", "0", "--data", str(tmp_path / "data")]
    for pause in (0.05, 0.2, 0.35):
        with subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=CHECKOUT
        ) as starting:
            with pytest.raises(subprocess.TimeoutExpired):
                starting.wait(pause)
            starting.send_signal(signal.SIGTERM)
            assert starting.wait(DRAINED_S) in (0, -signal.SIGTERM)
    running = Running(tmp_path / "data")
    assert running.stop() == 0


def test_a_second_signal_ends_it_at_once(running: Running) -> None:
    with socket.create_connection(running.address, PATIENCE_S) as put:
        put.sendall(request("PUT /half.bin HTTP/1.1", "Content-Length: 100000", body=b"x" * 500))
        observe.until(lambda: len(observe.files_in(running.data)[0]) == 1, "the file is half way")
        running.signal(signal.SIGTERM)
        observe.until(lambda: "shutting down" in running.stderr, "the drain has begun")
        assert running.process.poll() is None, "it waits for the upload"
        running.signal(signal.SIGINT)
        assert running.wait() == 1, "one that waits for the upload ends with 0"
    running.start()
    assert observe.files_in(running.data) == ([], [])


def test_what_was_being_said_when_the_signal_came_is_stored_or_refused_and_never_half(running: Running) -> None:
    """Messages in flight at SIGTERM: each one acknowledged is there afterwards, and none is there twice."""
    with RawBrowser(running.address, "client=c&after=-1") as browser:
        acknowledged = []
        with suppress(ConnectionError):  # it may be gone before we have read its farewell
            for number in range(300):
                browser.say(f"k{number}", f"{number}")
                if number == 150:
                    running.signal(signal.SIGTERM)
        with suppress(ConnectionError):
            while {"close": 1001} not in (objects := browser.read()):
                acknowledged += [one for one in objects if "seq" in one]
    assert running.wait() == 0

    running.start()
    log = observe.log(running.address)
    assert log[: len(acknowledged)] == acknowledged
    assert [entry["key"] for entry in log] == [f"k{number}" for number in range(len(log))]


def test_the_log_is_one_file_after_a_drain(running: Running) -> None:
    assert observe.fetch(running.address, "POST", "/", json.dumps({"any": "body"}).encode())[0] == 201
    assert running.stop() == 0
    names = {path.name for path in running.data.iterdir() if path.is_file()}
    assert names <= {"log.sqlite3", "lock", "host-token"}, "the write-ahead log was brought home"
