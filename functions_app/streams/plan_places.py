"""Doors whose POST waits for AWS are marked, so that no thread that renders pages is given to one."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import Resolver404, resolve

NO_PLACE = "drydock.no_place"  # in the ASGI scope of a request that found every thread taken and the line full
AGAIN_IN = 15  # seconds: most plans take two or three, so that a whole line has had its turn by then
_MARK = "waits_for_aws"
Asks = bool | Callable[[bytes], bool]  # whether AWS is asked; where that hangs on what is sent, what tells it


def mark(view: Callable[..., Any], asks: Asks = True) -> None:
    """Mark a view whose POST asks AWS."""
    setattr(view, _MARK, asks)


def found_no_place(request: HttpRequest) -> bool:
    """Whether every thread for such requests was taken and the line full."""
    return bool(request.META.get("asgi.scope", {}).get(NO_PLACE))


def is_marked(path: str) -> Asks:
    """Whether the view at this path waits for AWS when it is posted to."""
    try:
        asks: Asks = getattr(resolve(path).func, _MARK, False)
        return asks
    except Resolver404:
        return False
