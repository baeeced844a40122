"""The OpenAPI document: valid, whole, and made of the nouns that travel."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from bridge import __version__
from bridge.model import Entry
from bridge.server import Server
from bridge.transports.web.openapi import document
from tests.docs.fences import ROOT

HTTP_PAGE = ROOT / "docs" / "protocols" / "http.md"


@pytest.fixture
async def served(server: Server, session: aiohttp.ClientSession) -> dict[str, Any]:
    """The document as a program gets it."""
    async with session.get(f"{server.url}openapi.json") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        return await response.json()


async def test_the_document_is_openapi_3_1(served: dict[str, Any]) -> None:
    assert (served["openapi"], served["info"]["version"]) == ("3.1.0", __version__)
    assert [error.message for error in OpenAPIV31SpecValidator(served).iter_errors()] == []


async def test_every_path_of_the_handbook_is_in_the_document(served: dict[str, Any]) -> None:
    """The routes themselves cannot be missing: the document is made of them."""
    rows = [row.split("|")[1] for row in HTTP_PAGE.read_text().splitlines() if row.startswith("| `")]
    requests = re.findall(r"`(?:(GET|POST|PUT|HEAD|DELETE))?,? ?(/[^`?]*)", " ".join(rows))
    documented = {re.sub(r"\{.*?\}", "{}", path): methods for path, methods in served["paths"].items()}
    assert len(requests) > 10
    for method, path in requests:
        assert (method or "get").lower() in documented[re.sub(r"\{.*?\}", "{}", path)], (method, path)


async def test_the_nouns_are_those_that_travel(served: dict[str, Any], server: Server) -> None:
    entry = served["components"]["schemas"]["Entry"]
    assert entry["properties"].keys() == {field.encode_name for field in msgspec.structs.fields(Entry)}
    signals = {"Hello", "Presence", "Transfer", "Gap", "Typing", "Error"}
    assert signals <= served["components"]["schemas"].keys()


def test_a_route_that_nobody_described_cannot_be_hidden() -> None:
    with pytest.raises(KeyError):
        document([("GET", "/secret")])


def test_a_head_is_told_like_its_get_without_a_body() -> None:
    made = document([("GET", "/healthz"), ("HEAD", "/healthz")])["paths"]["/healthz"]
    assert made["head"]["responses"].keys() == made["get"]["responses"].keys()
    assert "content" in made["get"]["responses"]["200"] and "content" not in made["head"]["responses"]["200"]
