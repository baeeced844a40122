"""Every rule of the languages is played in a transcript, or tested where none can play it.

The table is read by people too: a rule in few words, and the line of a page (`page: line`), or the test
(`file::name`), that comes false when the rule is broken. A new rule gets a row; a row that leads nowhere fails.
"""
# ruff: noqa: E501 - a line of a page is quoted whole

from __future__ import annotations

import re
from functools import cache

from tests.docs import fences, transcripts

RULES = {
    # Starting
    "roombridge and python -m bridge are one": "test_main.py::test_roombridge_and_python_m_bridge_are_the_same",
    "one line on stdout with the real port, TCP and UDP on one number": (
        "test_server.py::test_the_one_line_on_stdout_has_the_real_port_for_tcp_and_udp"
    ),
    "--listen: further addresses, same rooms": (
        "test_server.py::test_every_further_address_leads_to_the_same_rooms_by_tcp_and_udp"
    ),
    "--room: where those go who name none": "entries.md: alice < * welcome to 教室, you are tcp-{alice.port}; /help lists commands",
    "flag, environment, file, default": "test_main.py::test_a_flag_is_above_the_environment_above_the_file_above_the_default",
    "a busy port is named, and never left for another": (
        "test_server.py::test_a_port_that_is_taken_is_named_and_never_left_for_another"
    ),
    "a data folder in use is named": "test_server.py::test_a_second_server_on_one_folder_names_it_and_exits",
    "a signal drains and ends with 0": "test_server.py::test_a_signal_drains_everybody_and_ends_with_0",
    # Entries and signals
    "a text in the one JSON form": "transports/test_browser.py::test_an_entry_has_the_one_json_form",
    "numbers rise within a room and may skip": 'entries.md: {"seq":3,"room":"lobby"}',
    "the log and its epoch outlive the server": "entries.md: server kill",
    "hello": 'entries.md: carol < {"type":"hello","room":"lobby","last_seq":0,"you":{"name":"carol","via":"web"},"count":1,"transfers":[]}',
    "presence: who joined": 'browser.md: alice < {"type":"presence","joined":[{"id":{bob},"name":"bob","via":"web"}],"count":2}',
    "presence: who is called otherwise": 'browser.md: bob < {"type":"presence","renamed":[{"id":{bob},"name":"robert"}],"count":2}',
    "presence: who left": 'browser.md: alice << {"type":"presence","left":[{bob}],"count":1}',
    "presence is merged, at most four a second": "transports/test_browser.py::test_presence_is_merged_to_at_most_four_a_second",
    "above 200 seats only their number": "transports/test_browser.py::test_above_two_hundred_seats_only_their_number_is_told",
    "a transfer from its first byte": "browser.md: dave > hello",
    "a transfer that fails says how far it came": "browser.md: fred > only this much",
    "a transfer is told of at most ten times a second": (
        "transports/test_upload.py::test_a_transfer_is_not_told_of_more_often_than_ten_times_a_second"
    ),
    "a gap for another epoch": 'browser.md: lost < {"type":"gap","from":null,"to":null}',
    "a place beyond the end is another epoch": 'browser.md: ahead < {"type":"gap","from":null,"to":null}',
    "a gap for what is no longer kept": "test_room.py::test_what_is_no_longer_kept_is_told_as_a_gap_before_what_is",
    "typing": 'browser.md: bob < {"type":"typing","from":{"name":"alice"}}',
    "an error names its draft": 'entries.md: carol < {"type":"error","code":"empty","key":"k1"}',
    "unknown types are passed over": "transports/test_browser.py::test_an_unknown_type_is_passed_over",
    "unknown fields are passed over": "transports/test_browser.py::test_unknown_fields_are_passed_over",
    "a client names the author across reconnects": 'entries.md: carol < {"type":"hello","client":"my secret","you":{"id":{id}}}',
    "without one the server makes one and says it": "transports/test_browser.py::test_hello_says_where_and_who_one_is",
    "it is never shown to others": "transports/test_browser.py::test_the_secret_is_never_shown_to_others",
    "a repeated key is answered 200, with the first entry": 'entries.md: {"seq":1,"key":"k1","from":{"id":{id}},"text":"once"}',
    "a key is its author's and its room's": 'entries.md: {"key":"k1","from":{"id":{id}},"text":"elsewhere"}',
    "a repeated key is answered below the cursor": 'entries.md: carol < {"type":"text","seq":1,"key":"k1"}',
    "to that seat alone": "transports/test_browser.py::test_a_key_that_was_said_is_answered_to_that_seat_alone",
    "nobody is told before it is on disk": "stories/test_durability.py::test_a_message_is_synced_before_anybody_hears_of_it",
    "a taken name gets -2": 'entries.md: other < {"type":"hello","you":{"name":"ALICE-2"}}',
    "and one that looks like it": 'entries.md: eye < {"type":"hello","you":{"name":"аlice-3"}}',
    "a name with brackets is none": 'entries.md: carol < {"type":"error","code":"bad_name"}',
    "names are composed, of 1 to 32 characters": "test_gate.py::test_a_name_is_composed_and_trimmed",
    "rooms of any script, made by their first entry": 'entries.md: [{"name":"教室","last_seq":1,"seats":1}]',
    "a text is at most 16 KiB": 'entries.md: carol > {"type":"say","key":"k2","text":"{a*16385}"}',
    "CRLF becomes LF, a byte order mark is dropped": 'entries.md: {"text":"one\\ntwo\\tthree "}',
    "no control characters": "entries.md: bad_text: text holds the control character U+0007",
    # WebSocket
    "many objects in a frame, the bad one errs alone": 'browser.md: alice < {"type":"error","code":"bad_request"}',
    "without after: the newest 50": 'browser.md: new < {"seq":11,"text":"11"}',
    "after=0: everything": 'browser.md: all << {"seq":1,"text":"1"}',
    "after=N: all behind it": 'browser.md: back < {"seq":59}',
    "after=-1: only what comes": 'browser.md: late << {"seq":61,"text":"new"}',
    "say and be answered with the key": 'browser.md: alice < {"type":"text","seq":1,"key":"k1","from":{"name":"alice"},"text":"hi bob"}',
    "what breaks a rule does not end the connection": 'entries.md: carol < {"type":"text","seq":1,"key":"k4"}',
    "1001 going away": "browser.md: erin << (close 1001)",
    "1002 what RFC 6455 forbids": "stories/test_frames.py::test_a_frame_is_taken_or_ends_the_connection_with_its_code",
    "1003 a binary frame": "browser.md: alice < (close 1003)",
    "1007 no UTF-8": "transports/test_browser.py::test_a_frame_that_is_no_utf8_closes_with_1007",
    "1008 too many objects": "browser.md: fred << (close 1008)",
    "1009 a frame that is too large": "browser.md: bob << (close 1009)",
    "1013 too slow": "transports/test_browser.py::test_a_browser_that_reads_nothing_at_all_is_closed_with_1013",
    "a heartbeat": "transports/test_browser.py::test_a_quiet_browser_is_pinged_and_a_dead_one_leaves",
    # From elsewhere
    "the first words of a stranger knock, and it is told one thing": "line.md: alice < * you knocked: wait, or send /pass SECRET",
    "hosts are shown who says what": 'line.md: carol << {"type":"knock","id":{id},"via":"tcp","addr":"127.0.0.1:{alice.port}","text":"hello"}',
    "a host that comes later is shown it too": 'browser.md: dora << {"type":"knock","id":{id}}',
    "what was held is said when a host admits it": 'line.md: carol << {"type":"text","from":{"name":"tcp-{alice.port}"},"text":"is anybody there?"}',
    "who is refused is closed": "line.md: mallory < (end)",
    "a knock is over for all hosts": 'browser.md: dora << {"type":"knock","id":{id},"answered":"admitted"}',
    "only hosts admit": 'browser.md: bob << {"type":"error","code":"forbidden","message":"only a host lets people in"}',
    "always: the next from there is in": "browser.md: erin < * welcome to lobby, you are udp-{erin.port}; /help lists commands",
    "/pass SECRET seats a line client": "line.md: bob < * welcome to lobby, you are tcp-{bob.port}; /help lists commands",
    "a wrong one ends it": "line.md: eve < * that is not the secret",
    "/pass SECRET by datagram is answered with a code": "datagram.md: bob < * send: {code}",
    "a code is its address's own": "datagram.md: mallory udp> {code}",
    "token in the header of a file": 'upload.md: dave file> {"file_name":"a.txt","file_size":5,"token":"{token}"}',
    "a file waits for a host": 'upload.md: carol << {"type":"knock","id":{id},"via":"tcp","addr":"127.0.0.1:{erin.port}","text":"b.txt (5 bytes)"}',
    "--native off": "line.md: alice < (end)",
    "zones, ways and --native, cell by cell": "stories/test_elsewhere.py::test_the_table_of_zones_is_true_cell_by_cell",
    "at most three times what came": (
        "stories/test_elsewhere.py::test_no_stranger_is_sent_more_than_three_times_what_came_in_its_name"
    ),
    "secrets enter no log and no room": (
        "stories/test_knocking.py::test_a_wrong_secret_ends_it_and_no_secret_is_ever_shown"
    ),
    # UDP
    "one datagram is one message, also with lines": "datagram.md: alice < [udp-{bob.port}] one⏎    two",
    "identical datagrams are separate entries": "datagram.md: bob > same",
    "GB18030": 'datagram.md: bob > b"\\xc4\\xe3\\xba\\xc3"',
    "trailing NULs and one newline are dropped": 'datagram.md: bob > b"from C\\r\\n\\x00\\x00"',
    "a byte order mark is dropped (UDP)": 'datagram.md: bob > b"\\xef\\xbb\\xbfwith a byte order mark"',
    "empty is still here": "datagram.md: alice udp>",
    "bytes that are no text are never posted": 'datagram.md: bob > b"\\x00\\x01\\x00\\x00\\x21\\x12\\xa4\\x42abcdefghijkl"',
    "they are counted": "transports/web/test_metrics.py::test_a_refusal_is_counted_whichever_way_it_came",
    "来自NAME的消息: renames": "datagram.md: qq udp> 来自客户端1的消息:在吗",
    "an empty text under a name is still here": "datagram.md: qq > 来自客户端2的消息:",
    "with a full-width colon": "transports/test_datagram.py::test_a_message_that_brings_a_name_renames_its_sender",
    "first contact is welcomed with a name": "datagram.md: bob < * welcome to lobby, you are udp-{bob.port}; /help lists commands",
    "never over 1,024 bytes, each piece named": "datagram.md: alice < [bob] {a*1017}",
    "cut on a character boundary": "datagram.md: alice < [bob] {中*339}",
    "at most 16 KiB (UDP)": "datagram.md: bob < * datagram of 16385 bytes, at most 16384",
    "a file and where to get it (UDP)": "datagram.md: alice < [eve] sent a.txt (5 bytes) http://127.0.0.1:8080/files/{_}/a.txt",
    "the address this peer reached us at": (
        "transports/test_datagram.py::test_a_socket_for_any_address_answers_from_the_one_that_was_called"
    ),
    "nobody gets own words back": "transports/test_datagram.py::test_nobody_gets_own_words_back",
    "no history unasked": "transports/test_datagram.py::test_history_does_not_come_unasked",
    **{
        f"{command} (UDP)": f"datagram.md: hub > {command}"
        for command in (
            "/as 二号温度计 19 °C",
            "//who is not asked",
            "/who",
            "/history 2",
            "/quiet",
            "/join lab",
            "/time",
            "/pass secret",
            "/help",
            "/quit",
        )
    },
    "/nick (UDP)": "datagram.md: bob udp> /nick bob",
    "/upper (UDP)": "datagram.md: bob < HELLO",
    "who is silent leaves": "transports/test_datagram.py::test_a_peer_that_is_silent_for_too_long_leaves",
    "whose port is closed leaves": "datagram.md: alice > (close)",
    # Lines
    "lines end in LF or CRLF": 'line.md: bob > b"one\\r\\ntwo\\nth"',
    "one line is one message however it was cut": 'line.md: bob > b"e\\n"',
    "the last may end with the stream": 'line.md: bob tcp> b"last words, without a newline"',
    "a half-closed client has its lines stored": "line.md: bob > (end)",
    "at most 16 KiB (lines)": "line.md: alice < * a line of more than 16384 bytes was dropped",
    "lines are not split": "line.md: alice < [alice] {a*16384}",
    "nothing is sent before the first line": "front-door.md: dave < (nothing)",
    "an empty first line is enough": 'line.md: bob tcp> b"\\n"',
    "telnet's bytes are dropped": 'line.md: bob tcp> b"\\xff\\xfb\\x18hello from telnet\\r\\n"',
    "a line break inside is indented": "line.md: alice <     [alice] pay me",
    **{
        f"{command} (lines)": f"line.md: {command}"
        for command in (
            "alice > /nick alice",
            "bob > /as sensor 21.5 °C",
            "bob > /who",
            "alice > /history 2",
            "alice > /quiet",
            "alice > /join lab",
            "alice > /time",
            "alice > /upper hello server baby!",
            "alice > /pass secret",
            "alice > /quit",
            "bob tcp> //dance is no command",
        )
    },
    # Which language is it?
    "a request line is HTTP": "front-door.md: eve http> GET /healthz",
    "16 03 is TLS": 'front-door.md: alice tcp> b"\\x16\\x03\\x01\\x02\\x00\\x01\\x00"',
    "a length and a brace is a file": (
        'front-door.md: dave file> b"\\x26\\x00\\x00\\x00{\\"file_name\\":\\"a.txt\\",\\"file_size\\":2   }ok"'
    ),
    "a NUL otherwise is closed": 'front-door.md: bob tcp> b"AB\\x00D"',
    "all else is text": "front-door.md: alice tcp> GET the milk",
    "1 to 3 bytes that end in LF are text after 1 s": "front-door.md: alice tcp> y",
    "no prefix is answered differently from the whole": "wire/test_sniff.py::test_no_prefix_of_a_stream_is_answered_differently_from_the_whole",
    # Raw files
    "little-endian": 'upload.md: dave file> {"file_name":"澳门.mp4","file_size":5}',
    "big-endian is recognised": (
        'front-door.md: erin file> b"\\x00\\x00\\x00\\x26{\\"file_name\\":\\"b.txt\\",\\"file_size\\":2   }ok"'
    ),
    "many files on a connection, no reply unasked": "upload.md: dave < (nothing)",
    "a reply for those who ask, and a digest": (
        'upload.md: dave < {"seq":1,"url":"/files/{id}/a.txt","sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}'
    ),
    "another room, another sender": 'upload.md: dave > {"file_name":"b.txt","file_size":2,"reply":true,"room":"lab"}',
    "a refused file is told and closed": 'upload.md: dave < {"error":{"code":"too_large","message":"11 bytes, at most 10 (--max-file-bytes)"}}',
    "drained up to 64 MiB": "transports/test_upload.py::test_more_than_enough_of_a_refused_file_is_not_read",
    "a wrong digest is refused": 'upload.md: erin < {"error":{"code":"bad_request"}}',
    "a bad header is closed without a word": 'upload.md: dave file> {"file_name":"a.txt","file_size":1}}',
    "done at its declared size, whatever comes next": "transports/test_upload.py::test_a_sender_that_closes_at_its_last_byte_loses_nothing",
    "broken off: no file, no entry": "transports/test_upload.py::test_a_sender_that_breaks_off_leaves_only_a_failed_transfer",
    # HTTP
    "/ leads to the default room": "http.md: 302 http://127.0.0.1:8080/r/lobby",
    "/r/{room} as JSON": 'http.md: {"name":"lab","epoch":{epoch},"last_seq":1,"seats":0,"peers":[],"count":0}',
    "/rooms": 'http.md: [{"name":"lab","last_seq":1,"seats":0}]',
    "entries: the newest": 'http.md: {"epoch":{epoch},"last_seq":5,"entries":[{"seq":4},{"seq":5}]}',
    "entries: after": 'http.md: {"epoch":{epoch},"last_seq":5,"entries":[{"seq":3},{"seq":4}]}',
    "entries: before": 'http.md: {"entries":[{"seq":1},{"seq":2}]}',
    "events: ids, resumed by the last": "events.md: back << id: {epoch}:6",
    "events: NDJSON": 'events.md: eve < {"type":"text","seq":2,"text":"2"}',
    "events: a comment while it is quiet": "transports/web/test_events.py::test_a_quiet_stream_is_kept_alive_by_comments",
    "a raw body is a message": 'http.md: {"type":"text","room":"lobby","from":{"via":"http"},"text":"a=1&b=2"}',
    "X-Name in UTF-8 or percent-encoded": 'http.md: {"room":"lab","from":{"name":"张三"},"text":"one\\ntwo"}',
    "X-Key and X-Client": 'http.md: {"key":"k1","from":{"name":"张三"},"text":"hi"}',
    "PUT: the URL as a line": "http.md: http://127.0.0.1:8080/files/{id}/notes.txt",
    "PUT: the entry by Accept": (
        'http.md: {"type":"file","room":"lab","from":{"via":"http"},"file":{"name":"notes.txt","size":5,"media_type":"text/plain","url":{_}}}'
    ),
    "PUT: X-Filename": "http.md: http://127.0.0.1:8080/files/{_}/%E6%8A%A5%E5%91%8A.txt",
    "PUT: X-Sha256": "http.md: bad_request: sha256 is {_}, expected 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    "PUT: else `upload`": "http.md: http://127.0.0.1:8080/files/{_}/upload",
    "PUT without the slash": "http.md: not_found: a slash is missing: PUT /r/ROOM/ or /r/ROOM/NAME (curl -T FILE URL/)",
    "ranges": "files.md: el 206",
    "416": "files.md: 416",
    "304": "files.md: 304",
    "the digest is the ETag": 'files.md: eve << Etag: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"',
    "/healthz": "http.md: ok",
    "/metrics": "http.md: # TYPE roombridge_rooms_open gauge",
    "413": "http.md: 413",
    "415": "http.md: 415",
    "421": "http.md: 421",
    "403 for a foreign Origin": "http.md: forbidden: Origin 'http://evil.example' is not this server's own",
    "403 for a cross-site page": "http.md: forbidden: a cross-site page may not change anything here",
    "507": "stories/test_full_disk.py::test_http_is_told_by_507",
    "a problem document": (
        'http.md: {"type":"about:blank","title":"Bad Request","status":400,"detail":"an empty text","code":"empty"}'
    ),
    "one plain line for curl": "http.md: empty: an empty text",
}


def test_every_rule_is_played_or_tested() -> None:
    assert {rule: where for rule, where in RULES.items() if not _is_there(where)} == {}


def test_a_row_that_leads_nowhere_is_noticed() -> None:
    assert not _is_there("line.md: alice > /dance on")
    assert not _is_there("test_gate.py::test_that_nobody_wrote")


def _is_there(where: str) -> bool:
    file, colons, name = where.partition("::")
    if colons and file.endswith(".py"):
        text = (fences.ROOT / "tests" / file).read_text("utf-8")
        return bool(re.search(rf"^ *(async )?def {name}\(", text, re.MULTILINE))
    page, _, line = where.partition(": ")
    return line in _played(page)


@cache
def _played(page: str) -> set[str]:
    """Every line of a page's transcripts, those that go on joined as they are played."""
    lines = set()
    for transcript in transcripts.read(fences.ROOT / "docs" / "protocols" / page):
        for step in transcript.steps:
            lines.add(_written(step))
            lines.update(line.strip() for line in step.output)
    return lines


def _written(step: transcripts.Step) -> str:
    """A step as its page writes it."""
    if step.actor in ("$", "server"):
        return f"{step.actor} {step.verb if step.actor == 'server' else step.text}"
    speaker = f"{step.actor} {step.language}{step.verb}" if step.language else f"{step.actor} {step.verb}"
    return f"{speaker} {step.text}".rstrip()
