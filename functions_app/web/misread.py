"""What the address of a list asks that the list does not know: said on its page, and no file is made of it."""

from django.http import HttpRequest

from functions_app import clock
from functions_app.domain import moments
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.filters import Known, Written, not_understood
from functions_app.domain.text import storable
from functions_app.streams.table_download import FORMAT, wants_table

NUMBER = Written(lambda value: value.isascii() and value.isdigit() and len(value) < 19, "a number")
MOMENT = Written(lambda value: moments.moment(value, clock.now()) is not None, moments.WRITTEN)


def misread(request: HttpRequest, known: Known, left_out: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A sentence for each filter, and each value of one, that a list does not know, and what it has of `left_out`.

    For `_misread.html`. Raises INVALID where the list is wanted as a file, which could not say it.
    """
    every_list = {"page": None, FORMAT: None}
    said = [*not_understood(request.GET.lists(), {**known, **every_list}), *left_out]
    if said and wants_table(request):
        words = storable(" ".join(said), 900)
        raise DrydockError(Code.INVALID, words, next_step="Correct the address; no file was made.")
    return tuple(map(storable, said))
