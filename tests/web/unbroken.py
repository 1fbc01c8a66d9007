"""Pages as they are read: without the places at which a line may end (web/html/breaks.py)."""


def unbroken(page: str) -> str:
    """The same, a reference in one piece."""
    return page.replace("<wbr>", "")
