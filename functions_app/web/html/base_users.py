"""Who runs a base, in the table of releases and in that of users: two hundred of them a page, each one format."""

from collections.abc import Iterable
from functools import lru_cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from functions_app.services.inventory.bases.users import UserRow
from functions_app.web.html.addresses import address
from functions_app.web.html.breaks import breakable
from functions_app.web.html.chips import account
from functions_app.web.html.escaped import NOTHING, known
from functions_app.web.html.standings import standing

SHOWN_ALIASES = 6  # in the table of releases
ALIAS = ' <span class="live-alias">{}</span>'
ITEM = '<li><a href="{href}">{name}</a> <span class="sub">{version}</span>{aliases} {account}{through}</li>'
ROW = (
    '<tr data-row><th scope="row"><a class="name" href="{href}">{name}</a></th>'
    '<td data-h="Account"><span class="place">{account}<span>{region}</span></span></td>'
    '<td data-h="Version">{version}</td><td data-h="Aliases">{aliases}</td>'
    '<td data-h="Release"><span class="mono">{release}</span>{through}</td>'
    '<td data-h="Standing">{standing}{changes}</td><td data-h="Owner"><span class="wrap">{owner}</span></td></tr>'
)
NO_ALIAS = SafeString('<span class="sub">no alias</span>')
CHANGES = (
    ' <a class="fine" href="{href}?from={old}&amp;to={new}">'
    'what changes<span class="visually-hidden"> for {name}</span></a>'
    ' <a class="fine" href="{patch}">Patch<span class="visually-hidden"> {name}</span></a>'
)


def user_items(users: Iterable[UserRow]) -> SafeString:
    """A function with a version on a release, in a list, for each."""
    return SafeString("".join(map(_item, users)))


def _item(user: UserRow) -> SafeString:
    return format_html(
        ITEM,
        href=address("function", user.function_id),
        name=known(user.name),
        version=known(user.version),
        aliases=_aliases(user.aliases[:SHOWN_ALIASES]),
        account=account(user.account.name, user.account.colour),
        through=format_html(' <span class="sub">through {}</span>', user.through) if user.through else NOTHING,
    )


def user_rows(users: Iterable[UserRow], stream_id: int) -> SafeString:
    """The same as rows of a table, with how each stands."""
    compare = address("base-compare", stream_id)
    return SafeString("".join(_row(user, compare) for user in users))


def _row(user: UserRow, compare: SafeString) -> SafeString:
    return format_html(
        ROW,
        href=address("function", user.function_id),
        name=known(user.name),
        account=account(user.account.name, user.account.colour),
        region=known(user.region),
        version=known(user.version),
        aliases=_aliases(user.aliases) or NO_ALIAS,
        release=known(user.release),
        through=format_html(' <span class="why">through {}</span>', user.through) if user.through else NOTHING,
        standing=standing(user.standing),
        changes=_changes(user, compare) if user.changes_to else NOTHING,
        owner=breakable(user.owner),
    )


def _changes(user: UserRow, compare: SafeString) -> SafeString:
    patch = address("function-patch", user.function_id)
    return format_html(CHANGES, href=compare, old=user.release_id, new=user.changes_to, patch=patch, name=user.name)


@lru_cache(maxsize=4096)
def _aliases(names: tuple[str, ...]) -> SafeString:
    return format_html_join("", ALIAS, ((known(name),) for name in names))
