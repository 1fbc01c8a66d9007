"""Machines that show a token which the environment names."""

import hmac

from django.http import HttpRequest


def has_token(request: HttpRequest, wanted: str, *headers: str) -> bool:
    """Whether it is sent as "Authorization: Bearer ..." or in one of the headers; compared in constant time."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    sent = [bearer.strip() if scheme.lower() == "bearer" else "", *(request.headers.get(name, "") for name in headers)]
    fitting = [hmac.compare_digest(each.encode("utf-8", "replace"), wanted.encode()) for each in sent]
    return any(fitting)
