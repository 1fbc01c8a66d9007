"""Where aliases of functions pointed to: the history ends with a function, also where another gets its name."""

from django.db.models import F, Q, QuerySet

from functions_app.models import AliasMove


def own_moves() -> QuerySet[AliasMove]:
    """Moves of the functions that there are, without those of another that had the name before."""
    return AliasMove.objects.filter(Q(function__histories_from=None) | Q(at__gte=F("function__histories_from")))
