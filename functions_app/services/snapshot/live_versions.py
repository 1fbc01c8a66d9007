"""Which versions calls reach."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from functions_app.domain.fleet.functions import unqualified
from functions_app.models import Alias, Version


def live_versions() -> QuerySet[Version]:
    """Versions that an alias points to; of a function without aliases what unqualified calls reach."""
    aliases = Alias.objects.filter(function=OuterRef("function"))
    pointing = aliases.filter(Q(version=OuterRef("number")) | Q(second_version=OuterRef("number")))
    return Version.objects.filter(Exists(pointing) | _without_alias())


def called_without_alias() -> QuerySet[Version]:
    """Of functions without aliases the version that unqualified calls reach (domain.fleet.functions.unqualified)."""
    return Version.objects.filter(_without_alias())


def beside_published() -> Exists:
    """Whether the function of a version has a $LATEST.PUBLISHED."""
    return Exists(Version.objects.filter(function=OuterRef("function"), number=unqualified(True)))


def _without_alias() -> Q:
    aliases = Alias.objects.filter(function=OuterRef("function"))
    latest = Q(number=unqualified(False)) & ~beside_published()
    return (Q(number=unqualified(True)) | latest) & ~Exists(aliases)
