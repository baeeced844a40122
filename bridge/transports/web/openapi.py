"""What programs may ask of us, as an OpenAPI 3.1 document: made from the routes there are and the nouns they speak.

A route that nobody described is no document's to hide: making it fails, and a test makes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from http.client import responses
from typing import Any, Final, get_args

import msgspec
from aiohttp import web

from bridge import __version__
from bridge.model import Entry, Signal
from bridge.transports.web.answers import Problem, json
from bridge.transports.web.operations import OPERATIONS, PARAMETERS, PATH, Operation, Parameter, Types

REFUSES_ALL: Final = (400, 401, 403, 415, 421, 429)
"""What any route may answer: to a bad question, a stranger, a foreign page, a compressed body, a name that is not ours,
more than one address may ask."""
_PROBLEM: Final[Types] = {"application/problem+json": Problem, "text/plain": str}


class OpenApiHandlers:
    """`GET /openapi.json`."""

    def __init__(self) -> None:
        self._document: dict[str, Any] | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/openapi.json", self.serve)]

    async def serve(self, request: web.Request) -> web.Response:
        if self._document is None:
            self._document = document(registered(request.app))
        return json(self._document)


def registered(app: web.Application) -> Iterable[tuple[str, str]]:
    """Method and path of every route that the application answers."""
    return [(route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None]


def document(routes: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The whole document. Raises `KeyError` for a route that `OPERATIONS` does not know."""
    schemas = _Schemas()
    for noun in (Entry, *get_args(Signal)):
        schemas.of(noun)
    paths: dict[str, dict[str, Any]] = {}
    for method, path in routes:
        like = "GET" if method == "HEAD" and (method, path) not in OPERATIONS else method
        described = _operation(OPERATIONS[like, path], path, schemas, bare=method == "HEAD")
        paths.setdefault(path, {})[method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "roombridge", "version": __version__, "summary": "One room for browsers and sockets"},
        "paths": paths,
        "components": {"schemas": schemas.named},
    }


class _Schemas:
    """JSON schemas of our types; structs come to stand in `named` and are referred to."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}

    def of(self, type: Any) -> dict[str, Any]:
        if isinstance(type, dict):
            return type
        (schema,), named = msgspec.json.schema_components([type], ref_template="#/components/schemas/{name}")
        self.named.update(named)
        return schema

    def content(self, types: Types) -> dict[str, Any]:
        return {media: {"schema": self.of(type)} for media, type in types.items()}


def _operation(operation: Operation, path: str, schemas: _Schemas, bare: bool) -> dict[str, Any]:
    pin = ("X-Pin",) if "{room}" in path else ()
    in_path = [name for name in PATH if f"{{{name}}}" in path]
    described: dict[str, Any] = {
        "summary": operation.help,
        "parameters": [
            *(_parameter(name, PATH[name], schemas) for name in in_path),
            *(_parameter(name, PARAMETERS[name], schemas) for name in (*operation.parameters, *pin)),
        ],
        "responses": {
            str(status): _answer(status, types, schemas, bare)
            for status, types in (
                *operation.answers.items(),
                *((status, _PROBLEM) for status in (*REFUSES_ALL, *operation.refuses)),
            )
        },
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": schemas.content(operation.body)}
    return described


def _parameter(name: str, parameter: Parameter, schemas: _Schemas) -> dict[str, Any]:
    return {
        "name": "after" if name == "start" else name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "description": parameter.help,
        "schema": schemas.of(parameter.type),
    }


def _answer(status: int, types: Types, schemas: _Schemas, bare: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": responses.get(status, "Checksum Mismatch")}
    if types and not bare:
        answer["content"] = schemas.content(types)
    return answer
