"""Who uses an image, in all accounts; where else the same digest is; what an index holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from functions_app.domain.images.manifests import Platform
from functions_app.domain.text import counted
from functions_app.domain.tokens import EVERYWHERE, Reach
from functions_app.models import Alias, Function, Image, Version
from functions_app.services.people.reach import accounts_within, functions_within

SHOWN = 50  # functions a page
TWINS = 50
PARTS = 100


@dataclass(frozen=True)
class User:
    """A function with versions that run the image, and the aliases that lead to one of those.

    `elsewhere`: it is deployed from another repository that holds the same digest; its address.
    """

    function_id: int
    name: str
    account: str
    colour: str
    region: str
    architecture: str
    versions: tuple[str, ...]
    aliases: tuple[str, ...]
    elsewhere: str


@dataclass(frozen=True)
class Users:
    """The functions that use an image, those with an alias on it first: one page of them, and how many there are."""

    shown: tuple[User, ...]
    page: int
    pages: int
    functions: int
    versions: int
    aliases: int
    accounts: int
    architectures: frozenset[str]

    @property
    def counted(self) -> str:
        """How many there are of each kind, in one line."""
        functions, accounts = counted(self.functions, "function"), counted(self.accounts, "account")
        aliases, versions = counted(self.aliases, "alias", "aliases"), counted(self.versions, "version")
        return f"{functions} in {accounts}: {aliases}, {versions}."


@dataclass(frozen=True)
class Twin:
    """The same digest in another repository."""

    pk: int
    uri: str
    account: str
    colour: str
    region: str
    gone: bool
    versions: int


@dataclass(frozen=True)
class Part:
    """One entry of an index; without an image id Drydock does not know the image."""

    digest: str
    platform: str
    image_id: int | None


@dataclass
class _Found:
    function: tuple[str, ...]  # its name, account with colour, region and architecture, and where the image is from
    versions: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)


def user_keys(image: Image, reach: Reach = EVERYWHERE) -> QuerySet[Function, int]:
    """The keys of the functions that use an image, those with an alias on it first."""
    versions = Version.objects.filter(digest=image.digest)
    calls = Q(version=OuterRef("number")) | Q(second_version=OuterRef("number"))
    led_to = versions.filter(Exists(Alias.objects.filter(calls, function=OuterRef("function"))))
    found = Function.objects.filter(functions_within(reach), gone_at=None, pk__in=versions.values("function"))
    named = found.annotate(named=Exists(led_to.filter(function=OuterRef("pk"))))
    return named.order_by("-named", "name", "account__name", "region").values_list("pk", flat=True)


def users_among(image: Image, keys: Sequence[int]) -> list[User]:
    """Those of these functions that use it, in their order. Two queries."""
    order = {key: at for at, key in enumerate(keys)}
    return sorted(_users(image, Q(function__in=keys)), key=lambda user: order[user.function_id])


def _users(image: Image, within: Q) -> list[User]:
    """Who uses an image, by its digest: a digest is the same image in every repository and account. Two queries."""
    runs = Version.objects.filter(within, digest=image.digest, function__gone_at=None)
    rows = runs.order_by("function__name", "function_id", "-ordinal").values_list(
        "function_id", "number", "function__name", "function__account__name", "function__account__colour",
        "function__region", "function__architecture", "image__repository__uri",
    )  # fmt: skip
    found: dict[int, _Found] = {}
    for key, number, *facts in rows:
        found.setdefault(key, _Found(tuple(facts))).versions.append(number)
    pointing = Alias.objects.filter(function__in=[*found]).order_by("name")
    for key, name, first, second, weight in pointing.values_list(
        "function_id", "name", "version", "second_version", "second_weight"
    ):
        each = found[key]
        if first in each.versions:
            each.aliases.append(f"{name} {(1 - weight) * 100:.3g} %" if second else name)
        if second in each.versions:
            each.aliases.append(f"{name} {weight * 100:.3g} %")
    return [_user(image, key, each) for key, each in found.items()]


def users_of(image: Image, page: int = 1, reach: Reach = EVERYWHERE) -> Users:
    """A page of them, and how many there are. Two queries."""
    users = _users(image, functions_within(reach, "function__"))
    users.sort(key=lambda user: (not user.aliases, user.name, user.account, user.region))
    pages = max(1, -(-len(users) // SHOWN))
    page = min(max(1, page), pages)
    return Users(
        shown=tuple(users[(page - 1) * SHOWN : page * SHOWN]),
        page=page,
        pages=pages,
        functions=len(users),
        versions=sum(len(user.versions) for user in users),
        aliases=sum(len(user.aliases) for user in users),
        accounts=len({user.account for user in users}),
        architectures=frozenset(user.architecture for user in users),
    )


def _user(image: Image, function_id: int, found: _Found) -> User:
    name, account, colour, region, architecture, uri = found.function
    return User(
        function_id=function_id,
        name=name,
        account=account,
        colour=colour,
        region=region,
        architecture=architecture,
        versions=tuple(found.versions),
        aliases=tuple(found.aliases),
        elsewhere=uri if uri and uri != image.repository.uri else "",
    )


def twins_of(image: Image, reach: Reach = EVERYWHERE) -> tuple[Twin, ...]:
    """The same digest in other repositories, of all accounts that somebody gets to. One query."""
    there = functions_within(reach, "versions__function__")
    found = (
        Image.objects.filter(accounts_within(reach, "repository__"), digest=image.digest)
        .exclude(pk=image.pk)
        .annotate(used=Count("versions", filter=there & Q(versions__function__gone_at=None)))
        .order_by("gone_at", "repository__uri")
        .values_list(
            "pk", "repository__uri", "repository__account__name", "repository__account__colour",
            "repository__region", "gone_at", "used",
        )
    )  # fmt: skip
    return tuple(Twin(*row[:5], row[5] is not None, row[6]) for row in found[:TWINS])


def parts_of(image: Image) -> tuple[Part, ...]:
    """What an index holds, with the images of its repository that Drydock knows. One query."""
    entries: Sequence[Mapping[str, str]] = image.entries or [
        {"digest": "", "platform": str(platform)} for platform in image.platforms
    ]
    entries = entries[:PARTS]
    digests = [entry["digest"] for entry in entries if entry["digest"]]
    rows = Image.objects.filter(repository_id=image.repository_id, digest__in=digests)
    known: dict[str, int] = {}
    told: dict[str, str] = {}  # by their configs, where the index leaves it to them
    for digest, pk, *platform in rows.values_list("digest", "pk", "os", "architecture", "variant"):
        known[digest] = pk
        told[digest] = "" if "unknown" in platform else str(Platform(*platform))
    return tuple(
        Part(entry["digest"], entry["platform"] or told.get(entry["digest"], ""), known.get(entry["digest"]))
        for entry in entries
    )
