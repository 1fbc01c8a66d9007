"""Patterns with * and ?, as AWS's policies and ECR's filters have them: matched in time that grows with the text."""

import re


def wildcard(pattern: str, *, single: bool = True) -> re.Pattern[str]:
    """The pattern, for fullmatch; * is any text, and ? any character unless `single` is False.

    Of each piece between two stars the first place will do, which is never given up again: with `.*` a pattern of many
    stars would take for ever.
    """
    first, *pieces = (
        "".join("." if each == "?" and single else re.escape(each) for each in part) for part in pattern.split("*")
    )
    if not pieces:
        return re.compile(first, re.DOTALL)
    between = "".join(f"(?>.*?{piece})" for piece in pieces[:-1] if piece)
    return re.compile(f"{first}{between}.*{pieces[-1]}", re.DOTALL)
