"""The tutorial's clients, as their authors typed them in, in the room they never heard of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from tests.support import observe
from tests.support.peers import DatagramPeer, LinePeer
from tests.support.process import Running
from tests.support.program import Program, client, done
from tests.support.streams import content

FILM_BYTES = 20 * 1024 * 1024


def test_the_big_file_arrives_whole_though_its_sender_never_reads_and_leaves_at_once(
    running: Running, tmp_path: Path
) -> None:
    film = tmp_path / "10 解决粘包问题终极版.mp4"
    film.write_bytes(content(FILM_BYTES))

    left = done(*client("big_file.py", running.address, film, "澳门最大线上赌场开业啦.mp4"))
    assert left.returncode == 0, left.stderr

    (entry,) = observe.until(lambda: observe.log(running.address), "the film is in the room")
    assert entry["type"] == "file"
    assert entry["from"]["via"] == "tcp"
    assert entry["from"]["name"].startswith("tcp-")
    file = entry["file"]
    assert (file["name"], file["size"]) == ("澳门最大线上赌场开业啦.mp4", FILM_BYTES)
    assert file["media_type"] == "video/mp4"
    assert file["sha256"] == hashlib.sha256(film.read_bytes()).hexdigest()
    assert observe.digest(running.address, entry) == file["sha256"]


def test_a_script_that_says_hello_by_datagram_gets_one_answer_that_fits(running: Running) -> None:
    answered = done(*client("hello.py", running.address))

    assert answered.returncode == 0, answered.stderr
    shown = answered.stdout.decode()
    assert shown.startswith("b'* welcome to lobby, you are udp-")
    assert f"('127.0.0.1', {running.port})" in shown
    observe.until_said(running.address, ["hello server baby!"])


def test_three_datagrams_in_a_row_are_three_entries(running: Running) -> None:
    assert done(*client("three_hellos.py", running.address)).returncode == 0

    observe.until(lambda: len(observe.log(running.address)) >= 3, "three hellos")
    entries = observe.log(running.address)
    assert [entry["text"] for entry in entries] == ["hello"] * 3
    assert len({entry["from"]["id"] for entry in entries}) == 1


def test_two_qq_clients_hear_each_other_under_the_names_they_give_themselves(running: Running) -> None:
    with (
        Program(*client("qq.py", running.address, 1)) as one,
        Program(*client("qq.py", running.address, 2)) as two,
        DatagramPeer(running.address) as watcher,
    ):
        watcher.say("")  # takes a seat without a word
        assert watcher.read().startswith("* welcome")
        one.until(">>>:")
        two.until(">>>:")
        one.type("在吗")
        assert watcher.read() == "[客户端1] 在吗\n"
        one.until("* welcome to lobby, you are 客户端1")
        two.type("在")
        assert watcher.read() == "[客户端2] 在\n"
        two.until("* welcome to lobby, you are 客户端2")
        # Each hears the other when it has spoken again: it reads one datagram for each that it sends.
        one.type("吃了吗")
        one.until("[客户端2] 在\n")
        two.type("吃了")
        two.until("[客户端1] 吃了吗\n")
        one.type("好")
        one.until("[客户端2] 吃了\n")
        assert [watcher.read() for _ in range(3)][-1] == "[客户端1] 好\n"

        assert "来自" not in one.output + two.output
    said = [(entry["from"]["name"], entry["text"]) for entry in observe.log(running.address)]
    assert said == [
        ("客户端1", "在吗"),
        ("客户端2", "在"),
        ("客户端1", "吃了吗"),
        ("客户端2", "吃了"),
        ("客户端1", "好"),
    ]


def test_two_qq_clients_who_give_the_same_name_are_told_apart(running: Running) -> None:
    with (
        Program(*client("qq.py", running.address, 1)) as first,
        Program(*client("qq.py", running.address, 1)) as second,
    ):
        first.type("a")
        first.until("you are 客户端1 ")
        second.type("b")
        second.until("you are 客户端1-2 ")
        second.type("c")  # its wish has not changed, so neither does its name
        observe.until(lambda: len(observe.log(running.address)) == 3, "three entries")
    said = [(entry["from"]["name"], entry["text"]) for entry in observe.log(running.address)]
    assert said == [("客户端1", "a"), ("客户端1-2", "b"), ("客户端1-2", "c")]


def test_many_files_on_one_connection_are_all_taken(running: Running, tmp_path: Path) -> None:
    sizes = [0, 1, 3, 1024, 1025, 65_536, 1_000_000, 0, 5]
    paths = [tmp_path / f"第{number}个.bin" for number, _size in enumerate(sizes)]
    for number, (path, size) in enumerate(zip(paths, sizes, strict=True)):
        path.write_bytes(content(size, number))

    assert done(*client("many_files.py", running.address, *paths)).returncode == 0

    observe.until(lambda: len(observe.log(running.address)) == len(sizes), "all files")
    entries = observe.log(running.address)
    assert [entry["file"]["name"] for entry in entries] == [path.name for path in paths]
    assert len({entry["from"]["id"] for entry in entries}) == 1
    for entry, path in zip(entries, paths, strict=True):
        assert entry["file"]["sha256"] == observe.digest(running.address, entry)
        assert entry["file"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_tutorial_s_second_port_leads_to_the_same_room(run: Callable[..., Running], free_port: int) -> None:
    running = run("--listen", f"127.0.0.1:{free_port}")
    second = ("127.0.0.1", free_port)

    assert done(*client("three_hellos.py", second)).returncode == 0
    with LinePeer(second) as line:
        line.say("by TCP")
        assert line.read().startswith("* welcome")
        observe.until(lambda: len(observe.log(running.address)) == 4, "all four entries")
    assert sorted(observe.texts(running.address)) == ["by TCP", "hello", "hello", "hello"]
    assert observe.log(second) == observe.log(running.address)


def test_upper_answers_as_the_tutorial_s_concurrent_server_did(running: Running) -> None:
    with LinePeer(running.address) as line, DatagramPeer(running.address) as datagrams:
        line.say("/upper hello baby")
        assert line.read_until("HELLO BABY")[-1] == "HELLO BABY"
        datagrams.say("/upper hello baby")
        assert datagrams.read().startswith("* welcome")
        assert datagrams.read() == "HELLO BABY\n"
    assert observe.log(running.address) == []
