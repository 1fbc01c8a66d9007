"""Pages go out compressed: fifty functions with all that can be opened are 260 KB, and 12 so."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class CompressedPages(GZipMiddleware):
    """Middleware: pages alone. What streams goes on as it comes, and a bot's ETag stays the one that it sends back.

    Django adds random bytes, so that a length tells nothing of what is within (BREACH).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        """Django's hook."""
        if response.streaming or not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
