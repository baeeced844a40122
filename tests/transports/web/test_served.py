"""How a browser may take the bytes of others."""

from __future__ import annotations

from urllib.parse import unquote

from hypothesis import given

from bridge.model import FileRef
from bridge.transports.web.served import disposition, file_headers
from tests.support.nouns import file_names


@given(file_names)
def test_a_name_reaches_a_header_percent_encoded_and_in_no_other_way(name: str) -> None:
    said = disposition(name)
    assert said.isascii() and said.isprintable()
    fixed, _, encoded = said.rpartition("''")
    assert fixed == 'attachment; filename="download"; filename*=UTF-8'
    assert unquote(encoded) == name and not set(encoded) & set("\"';,* ")


def test_what_can_run_is_saved_and_its_type_is_not_told() -> None:
    page = file_headers(FileRef.of("1", "a.html", 1, "", "text/html"))
    assert page["Content-Type"] == "application/octet-stream"
    assert page["Content-Disposition"].startswith("attachment")
    picture = file_headers(FileRef.of("1", "a.png", 1, "", "image/png"))
    assert picture["Content-Type"] == "image/png" and picture["Content-Disposition"].startswith("inline")
    for headers in (page, picture):
        assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
