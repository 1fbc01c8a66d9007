"""Read a repository's lifecycle forecast again."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path

from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Repository
from functions_app.services.images import forecasts
from functions_app.web.http import HtmxHttpRequest, actor_of, operator_required


def forecast(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """POST: start the run and go to it; if one is under way, say so. GET, as after a refusal: the repository."""
    return redirect("repository", pk) if request.method in ("GET", "HEAD") else _start(request, pk)


@operator_required
def _start(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    repository = Repository.objects.select_related("account").filter(pk=pk).first()
    if repository is None:
        raise DrydockError(
            Code.NOT_FOUND, "Drydock knows no such repository.", next_step="Look for it by name in Repositories."
        )
    try:
        run = forecasts.submit(actor_of(request), repository)
    except DrydockError as error:
        if error.problem.code is not Code.BUSY:
            raise
        messages.warning(request, str(error))
        return redirect("repository", pk)
    return redirect("run", run.pk)


urlpatterns = [path("repositories/<int:pk>/forecast/", forecast, name="repository-forecast")]
