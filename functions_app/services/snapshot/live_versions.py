"""Which versions calls reach."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST
from functions_app.models import Alias, Version


def live_versions() -> QuerySet[Version]:
    """Versions that an alias points to; without aliases $LATEST, or $LATEST.PUBLISHED where there is one."""
    aliases = Alias.objects.filter(function=OuterRef("function"))
    pointing = aliases.filter(Q(version=OuterRef("number")) | Q(second_version=OuterRef("number")))
    published = Version.objects.filter(function=OuterRef("function"), number=PUBLISHED_LATEST)
    unqualified = Q(number=PUBLISHED_LATEST) | Q(number=LATEST) & ~Exists(published)
    return Version.objects.filter(Exists(pointing) | unqualified & ~Exists(aliases))
