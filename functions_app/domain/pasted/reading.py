"""What a pasted text names, the likeliest first. Pure, and cheap whatever is pasted: a bounded part of it is read.

Forms of function ARNs: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (FunctionName). Names of streams:
`date/[version]id` in a function's own group, `date/function[version]id` in one that several share.
"""

import re
from collections.abc import Iterator

from functions_app.domain.ecr_hosts import ecr_host
from functions_app.domain.errors import DrydockError
from functions_app.domain.pasted import console
from functions_app.domain.pasted.things import (
    LAMBDA_GROUPS,
    AccountNumber,
    DigestStart,
    FunctionNamed,
    ImageNamed,
    LogGroup,
    LogStream,
    OwnPage,
    RunNumber,
    Thing,
    Words,
)
from functions_app.domain.refs import ImageRef, is_repository, is_tag
from functions_app.domain.text import without_hidden

LONGEST = 4_000  # characters of a pasted text that are read: the longest console addresses have about half
_AROUND = " \t\r\n\u00a0`'\"“”„‘’‚«»<>()*|,;"  # what stands around a thing in a chat, a log or a sentence
_BEHIND = f"{_AROUND}.…!?:/"
_NAME = r"[A-Za-z0-9_-]{1,140}"
_QUALIFIER = r"\$LATEST(?:\.PUBLISHED)?|[A-Za-z0-9_-]{1,128}"
_PLACE = r"(?P<region>[a-z0-9-]{0,40}):(?P<account>[0-9]{12})?"
_FUNCTION_ARN = re.compile(
    rf"arn:aws[a-z-]{{0,20}}:lambda:{_PLACE}:function:(?P<name>{_NAME})(?::(?P<qualifier>{_QUALIFIER}))?"
)
_SHORT_ARN = re.compile(rf"(?:(?P<account>[0-9]{{12}}):)?function:(?P<name>{_NAME})(?::(?P<qualifier>{_QUALIFIER}))?")
_REPOSITORY_ARN = re.compile(rf"arn:aws[a-z-]{{0,20}}:ecr:{_PLACE}:repository/(?P<name>[a-z0-9][a-z0-9._/-]{{0,255}})")
_GROUP_ARN = re.compile(rf"arn:aws[a-z-]{{0,20}}:logs:{_PLACE}:log-group:(?P<name>[A-Za-z0-9_/.#-]{{1,512}})")
_OWN_GROUP = re.compile(rf"(?<![\w.-]){LAMBDA_GROUPS}{_NAME}")
_GROUP = re.compile(r"/[A-Za-z0-9_/.#-]{1,511}")
_STREAM = re.compile(
    rf"(?<![0-9])[0-9]{{4}}/[0-9]{{2}}/[0-9]{{2}}/(?P<name>{_NAME})?\[(?P<version>{_QUALIFIER})\][0-9a-f]{{0,64}}"
)
_QUALIFIED = re.compile(rf"(?P<name>{_NAME}):(?P<qualifier>{_QUALIFIER})")
_DIGEST = re.compile(r"(?P<algorithm>sha256:)?(?P<digits>[0-9a-f]{6,64})", re.IGNORECASE)
_RUN = re.compile(r"(?:run\s{0,3}#?|#)(?P<number>[0-9]{1,18})", re.IGNORECASE)
_OWN_PAGE = re.compile(
    r"(?:https?://[^/\s]{1,255})?/(?P<kind>functions|repositories|images|bases|runs)/(?P<key>[0-9]{1,18})(?:[/?#]|$)"
)
_SCHEME = re.compile(r"(?:https?|docker|oci)://")


def read(text: str) -> tuple[Thing, ...]:
    """What the text may name, the likeliest first; () for nothing. What is certain stands alone."""
    said = _bare(text)
    if not said:
        return ()
    certain = next(_certain(said), None)
    return (certain,) if certain else tuple(dict.fromkeys(_possible(said)))


def brief(text: str, most: int) -> str:
    """The text in so many characters: a long address as what it names, which is read as the same."""
    if len(text) <= most:
        return text
    things = read(text)
    return (str(things[0]) if things else "")[:most]


def _bare(text: str) -> str:
    """Without what chats, shells and sentences put around it."""
    said = without_hidden(text[:LONGEST]).strip(_AROUND)
    if said.startswith("http"):
        said = said.partition("|")[0]  # Slack writes links as <address|what is shown>
    said = said.rstrip(_BEHIND).replace("\\$", "$").replace("\\/", "/")
    is_encoded = not said.startswith("http") and re.search(r"%2[Ff]|%3[Aa]|\$25", said)
    return console.decoded(said) if is_encoded else said


def _certain(said: str) -> Iterator[Thing]:
    """Forms that are nothing else, wherever in the text they stand."""
    if found := _OWN_PAGE.match(said):
        key = int(found["key"])
        yield RunNumber(key) if found["kind"] == "runs" else OwnPage(found["kind"], key)
    yield from console.read(said)
    if found := _FUNCTION_ARN.search(said):
        yield FunctionNamed(found["name"], found["qualifier"] or "", found["region"], found["account"] or "")
    if found := _REPOSITORY_ARN.search(said):
        yield ImageNamed(found["name"].rstrip("/."), "", "", found["region"], found["account"] or "")
    stream = _STREAM.search(said)
    version = stream["version"] if stream else ""
    if found := _GROUP_ARN.search(said):
        yield LogGroup(found["name"], version, found["region"], found["account"] or "")
    if found := _OWN_GROUP.search(said):
        yield LogGroup(found[0], version)
    if stream:
        shared = stream["name"]
        yield FunctionNamed(shared, version) if shared else LogStream(version, stream[0])
    if found := _SHORT_ARN.fullmatch(said):
        yield FunctionNamed(found["name"], found["qualifier"] or "", "", found["account"] or "")
    yield from _reference(said)
    if found := _RUN.fullmatch(said):
        yield RunNumber(int(found["number"]))


def _reference(said: str) -> Iterator[Thing]:
    """A reference with the host of an ECR registry, and a whole `sha256:...`."""
    try:
        image = ImageRef.parse(_SCHEME.sub("", said, count=1))
    except DrydockError:
        image = None
    if image and (host := ecr_host(image.registry)):
        yield ImageNamed(image.repository, image.tag, image.digest, host.region, host.account)
    if (found := _DIGEST.fullmatch(said)) and found["algorithm"]:
        yield DigestStart(found["digits"].lower())


def _possible(said: str) -> Iterator[Thing]:
    """What a short text may stand for; several things are called alike."""
    if said.isascii() and said.isdecimal():
        if len(said) == 12:
            yield AccountNumber(said)
        if len(said) < 19:
            yield RunNumber(int(said))
    if found := _DIGEST.fullmatch(said):
        yield DigestStart(found["digits"].lower())
    if found := _QUALIFIED.fullmatch(said):
        yield FunctionNamed(found["name"], found["qualifier"])
    if _GROUP.fullmatch(said):
        yield LogGroup(said)
    yield from _local_reference(said)
    yield Words(said)


def _local_reference(said: str) -> Iterator[Thing]:
    """`repository:tag@digest` without a host; a name alone is one where it has a slash."""
    name, _, digest = said.partition("@")
    repository, colon, tag = name.partition(":")
    start = _DIGEST.fullmatch(digest)
    if (
        is_repository(repository)
        and ("/" in repository or colon or digest)
        and (not colon or is_tag(tag))
        and (start or not digest)
    ):
        yield ImageNamed(repository, tag, f"sha256:{start['digits'].lower()}" if start else "")
