"""What an address of the AWS console shows: a function, a log group, a repository or an image, in any partition.

AWS documents none of these addresses: these are the forms that they have had. CloudWatch encodes what stands behind `#`
twice and writes `$` for `%`: `/aws/lambda/orders` is `$252Faws$252Flambda$252Forders`.
"""

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from functions_app.domain.aws_console import HOSTS
from functions_app.domain.pasted.things import FunctionNamed, ImageNamed, LogGroup, Thing

_KNOWN = "|".join(re.escape(host.removeprefix("{region}.")) for host in HOSTS.values())
_TIMES = 3  # that something is encoded at most
_HOST = re.compile(
    r"(?:(?P<account>[0-9]{12})-[a-z0-9]{1,40}\.)?"  # several sessions in one browser
    r"(?:(?P<region>[a-z]{2,6}(?:-[a-z]{2,12}){1,2}-[0-9])\.)?"
    # The isolated partitions tell nobody theirs: it begins and ends so.
    rf"(?:{_KNOWN}|console\.[a-z0-9.-]{{1,40}}\.(?:ic\.gov|sgov\.gov|adc-e\.uk))"
)
_FUNCTION = re.compile(
    r"/?functions/(?P<name>[A-Za-z0-9_-]{1,140})(?::(?P<own>[$A-Za-z0-9_.-]{1,128}))?"
    r"(?:/(?:versions|aliases)/(?P<qualifier>[$A-Za-z0-9_.-]{1,128}))?"
)
_STREAM_OF = re.compile(r"\[(?P<version>[$A-Za-z0-9_.-]{1,128})\]")
_OLD_LOGS = re.compile(r"log[A-Za-z]*:(?:group|prefix)=(?P<group>[^;]+)")
_QUERY = re.compile(r"(?:log-group:|source~\(~')(?P<group>[A-Za-z0-9_/.#-]{1,512})")  # Insights and Live Tail
_REPOSITORY = re.compile(
    r"/ecr/(?:private-registry/)?repositories/(?:private/)?(?:(?P<account>[0-9]{12})/)?"
    r"(?P<name>[a-z0-9][a-z0-9._/-]{0,255})"
)
_IMAGE = re.compile(r"/(?:_/)?images?/(?P<digest>sha256:[0-9a-f]{64})")


def read(said: str) -> Iterator[Thing]:
    """What the address of a console's page shows, if it is one and shows such a thing."""
    address = _split(said)
    host = _HOST.fullmatch(address.netloc.lower())
    if host is None:
        return
    region = host["region"] or parse_qs(address.query).get("region", [""])[0][:40]
    account = host["account"] or ""
    if address.path.startswith("/lambda"):
        yield from _function(decoded(address.fragment), region, account)
    elif address.path.startswith("/cloudwatch"):
        yield from _logs(address.fragment, region, account)
    elif address.path.startswith("/ecr"):
        yield from _repository(decoded(address.path), region, account)


def decoded(text: str) -> str:
    """The text behind `%2F`, `%252F` and `$252F`."""
    for _ in range(_TIMES):
        plain = unquote(re.sub(r"\$(?=[0-9A-Fa-f]{2})", "%", text))
        if plain == text:
            break
        text = plain
    return text


def _split(said: str) -> SplitResult:
    try:
        return urlsplit(said if "://" in said[:10] else f"https://{said}")
    except ValueError:  # a bracket that no IPv6 address follows
        return urlsplit("")


def _function(fragment: str, region: str, account: str) -> Iterator[Thing]:
    if found := _FUNCTION.match(fragment):
        yield FunctionNamed(found["name"], found["qualifier"] or found["own"] or "", region, account)


def _logs(fragment: str, region: str, account: str) -> Iterator[Thing]:
    """The group is read between slashes as they stand: its own are encoded."""
    parts = fragment.partition("?")[0].split("/")
    plain = decoded(fragment).replace("*2f", "/").replace("*3a", ":")
    if "log-group" in parts[:-1]:
        group = decoded(parts[parts.index("log-group") + 1])
    elif found := _OLD_LOGS.search(plain) or _QUERY.search(plain):
        group = found["group"].rstrip("/") or "/"
    else:
        return
    stream = _STREAM_OF.search(plain)
    if group := group[:512].strip():
        yield LogGroup(group, stream["version"] if stream else "", region, account)


def _repository(path: str, region: str, account: str) -> Iterator[Thing]:
    place, _, rest = path.partition("/_/")
    digest = _IMAGE.search(path)
    if found := _REPOSITORY.match(place if rest else _IMAGE.sub("", place)):
        name = re.sub(r"/(?:details|images)?$", "", found["name"].rstrip("/"))
        yield ImageNamed(name, "", digest["digest"] if digest else "", region, found["account"] or account)
