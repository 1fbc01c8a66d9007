"""Which versions calls reach."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from functions_app.domain.fleet.functions import LATEST
from functions_app.models import Alias, Version


def live_versions() -> QuerySet[Version]:
    """Versions that an alias points to, and $LATEST of functions without aliases."""
    aliases = Alias.objects.filter(function=OuterRef("function"))
    pointing = aliases.filter(Q(version=OuterRef("number")) | Q(second_version=OuterRef("number")))
    return Version.objects.filter(Exists(pointing) | Q(number=LATEST) & ~Exists(aliases))
