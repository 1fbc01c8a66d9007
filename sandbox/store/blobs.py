"""Sending a blob's bytes, whole or in part, and the signed addresses that stand for ECR's bucket of layers."""

from __future__ import annotations

from functools import partial

from werkzeug.http import parse_range_header
from werkzeug.wrappers import Request, Response

from sandbox.core.faults import under_faults
from sandbox.core.limits import CALLS
from sandbox.store import tokens
from sandbox.store.content_store import STORE

LAYERS = "/_sandbox/layers/"


def layer_path(digest: str) -> str:
    """A signed path to the blob that needs no credentials, good for an hour."""
    return f"{LAYERS}{digest}?{tokens.layer_query(digest)}"


def layer(request: Request) -> Response:
    """Answer a signed address, counted as registry.DownloadLayer of no account: it carries no credentials.

    403 for a wrong or old signature, 404 for an unknown layer.
    """
    CALLS.add("", "registry", "DownloadLayer")
    return under_faults("", "registry", "DownloadLayer", partial(_layer, request), _refuse)


def _refuse(status: int, code: str, _message: str) -> Response:
    return Response(f"<Error><Code>{code}</Code></Error>", status=status, content_type="application/xml")


def _layer(request: Request) -> Response:
    digest = request.path.removeprefix(LAYERS)
    expires, given = request.args.get("X-Amz-Expires", ""), request.args.get("X-Amz-Signature", "")
    if not tokens.layer_query_is_valid(digest, expires, given):
        return Response("<Error><Code>AccessDenied</Code></Error>", status=403, content_type="application/xml")
    try:
        data = STORE.blob(digest)
    except KeyError:
        return Response("<Error><Code>NoSuchKey</Code></Error>", status=404, content_type="application/xml")
    return blob_response(request, data)


def blob_response(request: Request, data: bytes) -> Response:
    """200 with all, 206 with the range asked for, 416 for a range beyond the end."""
    headers = {"Accept-Ranges": "bytes"}
    wanted = parse_range_header(request.headers.get("Range"))
    if wanted is None or len(wanted.ranges) != 1:
        return Response(data, headers=headers, content_type="application/octet-stream")
    span = wanted.range_for_length(len(data))
    if span is None:
        headers["Content-Range"] = f"bytes */{len(data)}"
        return Response("", status=416, headers=headers)
    first, end = span
    headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(data)}"
    return Response(data[first:end], status=206, headers=headers, content_type="application/octet-stream")
