"""What changes from one image to another; and choosing the other one."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from functions_app.domain.text import counted, storable
from functions_app.services.inventory.images.choices import choices_of, typed
from functions_app.services.inventory.images.compare import ImageComparison, compare_images
from functions_app.services.inventory.images.differences import SHOWN_FILES
from functions_app.services.inventory.images.image import image_row
from functions_app.services.inventory.images.search import find_images
from functions_app.web.bases.bases import number
from functions_app.web.html.chips import short
from functions_app.web.html.layer_changes import layer_changes
from functions_app.web.html.looks import Change
from functions_app.web.http import HtmxHttpRequest, page

SAME = "Entry point, command, working directory, names of variables and labels are the same."
NAMES_ALONE = "Of variables the names alone are kept: whether a value changed is not known."


@require_safe
def compare(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """An image against `?to=` (an id); `?find=` is what somebody typed for the other; `?path=` narrows the files."""
    image, other = image_row(pk), number(request.GET, "to")
    asked = storable(request.GET.get("find", "")).strip()[:400]
    search = storable(request.GET.get("path", "")).strip()[:200]
    named = typed(image, asked) if asked and other is None else ()
    if len(named) == 1:
        return redirect(f"{request.path}?{urlencode({'to': named[0].pk})}")
    compared = compare_images(image, other, search) if other is not None else None
    context = {
        "image": image,
        "choices": choices_of(image),
        "asked": asked,
        "named": named,
        "compared": compared,
        "search": search,
        "shown": SHOWN_FILES,
        "kept": [("to", other)],
        **(_differing(compared) if compared else {}),
    }
    return page(request, "images/compare.html", context)


@require_safe
def compare_digests(request: HtmxHttpRequest) -> HttpResponse:
    """The images of two digests, `?from=` and `?to=`, as a plan names them: on to their comparison."""
    names = (storable(request.GET.get(name, "")).strip()[:100] for name in ("from", "to"))
    old, new = names
    found = find_images(old)
    if not found:
        return redirect("repositories")
    return redirect(f"{reverse('image-compare', args=[found[0].pk])}?{urlencode({'find': new})}")


def _differing(compared: ImageComparison) -> dict[str, object]:
    """What the parts that comparisons share are drawn from."""
    two = (("From", compared.old), ("To", compared.new))
    found = compared.differences
    if found is None:
        return {"two": two}
    kept = sum(line.change == Change.KEPT for line in found.layers)
    return {
        "two": two,
        "found": found,
        "sizes": layer_changes(found),
        "same_words": SAME,
        "names_alone": NAMES_ALONE,
        "layer_words": shared_words(found.shared, kept, *(len(side.image.diff_ids) for _, side in two)),
        "reads": [
            (reverse("image-read-files", args=[side.image.pk]), (), f"Read the files of {short(side.image.digest)}")
            for side in compared.unread
            if side.image.gone_at is None
        ],
    }


def shared_words(shared: int, kept: int, old: int, new: int) -> str:
    """How far up both are made of the same layers; `kept` are all that both have, in one order."""
    if shared == old == new:
        return f"All {counted(old, 'layer')} are the same, byte for byte: the config alone differs."
    above = kept - shared
    more = f"; {above} further up {'is' if above == 1 else 'are'}, too" if above else ""
    if not shared:
        return f"From the bottom up no layer of {old} and {new} is the same{more.removesuffix(', too')}."
    lowest = "The lowest layer is" if shared == 1 else f"The lowest {shared} layers are"
    return f"{lowest} the same, byte for byte, of {old} and {new}{more}."


urlpatterns = [
    path("images/compare/", compare_digests, name="images-compare"),
    path("images/<int:pk>/compare/", compare, name="image-compare"),
]
