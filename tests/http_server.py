"""The HTTP server that tests' own handlers run on: a client that went away is no error of it, all else is printed."""

import sys
from http.server import ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """A server with a daemon thread per connection."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what went wrong, unless it is that the client left."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
