"""Where somebody came from who is at a run now: a page of this site alone, named where it has a name."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

LONGEST = 2_000
NEXT = "next"  # in an address: where to go back to
NAMES = {
    "base": "the base",
    "base-compare": "the comparison",
    "bases": "the bases",
    "overview": "the overview",
    "functions": "the functions",
    "repositories": "the repositories",
    "repository": "the repository",
    "image": "the image",
    "image-compare": "the comparison",
    "runs": "the runs",
    "run": "the run before",
    "audit": "the audit",
    "accounts": "the accounts",
}
OF_A_FUNCTION = "function"
PASSED = ("run-", "plan", "login", "logout", "base-plan")  # what is over, and no page to go back to


@dataclass(frozen=True)
class WayBack:
    """A page to go back to, and what it is called."""

    href: str
    words: str


def way_back(request: HttpRequest) -> WayBack | None:
    """The page that `next` names, or from which the browser says it came; None where that is none of ours."""
    asked = request.GET.get(NEXT, "") or _before(request)
    if not asked.startswith("/") or len(asked) > LONGEST or not url_has_allowed_host_and_scheme(asked, None):
        return None
    try:
        name = resolve(urlsplit(asked).path).view_name
    except (Resolver404, ValueError):
        return None
    if name.startswith(PASSED) or urlsplit(asked).path == request.path:
        return None
    if name.startswith(OF_A_FUNCTION) and name != "functions":
        return WayBack(asked, "the function")
    return WayBack(asked, NAMES.get(name, "where you came from"))


def _before(request: HttpRequest) -> str:
    before = urlsplit(request.headers.get("Referer", ""))
    return before._replace(scheme="", netloc="", fragment="").geturl() if before.netloc == request.get_host() else ""
