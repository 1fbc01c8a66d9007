"""Text as somebody who means harm would name a function, a tag or an owner."""

ATTACK = "\"><script>x</script>'&"


def harmless(html: str) -> bool:
    """Whether none of it came through as markup."""
    return "<script" not in html and '"">' not in html and "'&" not in html
