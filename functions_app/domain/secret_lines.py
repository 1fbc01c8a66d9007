"""Secrets on the lines below their name: lists and mappings of JSON and YAML, texts of several lines, private keys.

Line by line, since a log comes so: `Opened` is what the lines before leave open, and says what the next one is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from functions_app.domain.secret_shapes import BLAMED, BLAMED_SHORT, MASK, NEVER_SAID, QUOTE, SENTENCE, SUBSCRIPT
from functions_app.domain.secret_words import (
    NAMED_BY,
    NAMED_ELSEWHERE_BY,
    NAMES,
    PLAIN,
    SEVERAL,
    SEVERAL_BY,
)

Spans = list[tuple[int, int]]
LINES = 2_000  # that one opening is good for: what never ends would take the rest of a log
WITHIN = 8  # openings within openings
_NAME = 60  # characters before a separator that are looked at for a name
_LONE = 8  # characters of a word alone on its line, without a digit, that may be a secret

# Of several: in quotes, or what is no word of a message, no number and no name with its own value.
_ITEM = (
    r"(?:\"(?:\\.|[^\"\\\n])*+\"|'(?:\\.|[^'\\\n])*+'|"
    r"(?!\d+(?:\.\d+)?(?![\w-]))[^\s,;:=\"'\[\](){}]++(?:={1,2}+(?![\"']?[\w\[({.-])|(?!=)))"
)
# Without brackets, as an environment or an INI file has them.
_COMMAS = rf"{_ITEM}(?:[,;]{_ITEM})++|(?=[\"']|(?<==)|(?<== )){_ITEM}(?:, ?{_ITEM})++[^\S\n]*+(?=[\"'\\]|$)"
# What leaves something open: a bracket behind a separator, the sign of a text of several lines, and nothing at all.
_OPENING = re.compile(
    rf"(?P<by>:=|=>|={{1,3}}+|:)[^\S\n]*+(?:"
    rf"(?P<bracket>(?:new\s+|\[\d*\])?[\w.:<>]{{0,60}}+(?:!|\[\]\s*)?(?!{re.escape(MASK)})[\[({{])|"
    r"(?P<text>(?:![\w-]++\s++)?[|>][-+\d]{0,2}\s*$)|"
    rf"(?P<commas>{_COMMAS})|$)"
)
_NAMED = re.compile(rf"(?i)(?:(?P<several>{SEVERAL})|(?P<name>{NAMES})){QUOTE}?{SUBSCRIPT}\s*$")
_HINTS = (*NAMED_BY.split(), *NAMED_ELSEWHERE_BY.split())
_OPEN_HINTS = ("-----begin", *SEVERAL_BY.split())
_OPEN_ENDS, _AFTER_BRACKET = frozenset(":=|>"), frozenset("[({,")
_ELEMENT = re.compile(rf"(?i)\s*<(?:\w{{1,60}}:)?[\w.-]{{0,60}}?(?:{NAMES})(?:\s[^<>]{{0,500}})?>\s*$")
_APART = re.compile(
    rf"(?i)[\s{{-]*[\"']?(?:key|name|variable|parameter[_-]?(?:name|key))[\"']?\s*[:=]\s*"
    rf"[\"']?[\w.-]{{0,100}}?(?:{NAMES})[\"']?,?\s*$"
)
_ITS_VALUE = re.compile(r"(?i)\s*[\"']?(?:parameter[_-]?)?value[\"']?\s*[:=]\s*(?P<value>\S.*?),?\s*}?,?\s*$")
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----\W*$")
_KEY_BODY = re.compile(r"\W*[A-Za-z0-9+/=]+\W*|\W*|\W*(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset): .*")
_BELOW = re.compile(
    r"(?P<indent>[^\S\n]*+)(?P<dash>(?:-\s++)*+)(?:(?P<key>[\"']?[\w.$/ -]{1,100}?[\"']?)\s*:(?:\s++|$))?"
    r"(?P<value>(?:[^#]|(?<!\s)#)*)"
)
_BLOCK = re.compile(r"(?:![\w-]+\s+)?[|>][-+\d]{0,2}\s*")
_TRACE = re.compile(r"\s*(?:at|File|\.\.\.)\b")
_NOTHING = re.compile(r"(?i)(?:null|none|nil|true|false|undefined|~|\W*)")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_PLAIN = re.compile(rf"(?i)[\"']?(?:.*?){PLAIN}[\"']?")
_TOKEN = re.compile(
    rf"(?P<mask>{re.escape(MASK)})|(?P<end>(?<=\s)(?:#|//)\s.*)|(?P<comma>[,;])|(?P<close>[\])}}])|(?P<space>\s++)|"
    r"(?P<key>(?:(?P<k>[\"'])[^\"'\\]{0,100}+(?P=k)\s*+(?=[:=])|"
    r"[\w.$-]{1,100}+\s*+(?=:(?:[\s\"'\[({]|$)|=>|=[^\s=,\])}]))(?:=>|[:=]))|"
    rf"(?P<open>[\w.]{{0,60}}+(?!{re.escape(MASK)})[\[({{])|"
    r"(?P<quoted>\w{0,3}+(?P<q>\"\"\"|'''|\\?[\"'`])(?:\\.|(?!(?P=q)).)*+(?:(?P=q)|$))|(?P<word>[^\s,;\[\](){}\"']++|.)"
)

_FOLLOWS = {  # what follows what in no list without a comma
    **dict.fromkeys(("key", "open", "word"), ("word", "quoted", "close", "mask")),
    "quoted": ("word", "close", "mask"),
    "mask": ("word", "close"),
}


@dataclass(frozen=True)
class Opened:
    """What the lines before leave open: how the next is read, and of whom."""

    read: "Callable[[Opened, str], Taken | None]"
    name: str = ""
    several: bool = False  # so that what is below may be called what it likes
    blamed: bool = False  # somebody complains of it, and may cite a sign or two
    indent: int = 0
    depth: int = 0  # of brackets
    lines: int = 0
    nested: int = 0
    outer: "Opened | None" = None


@dataclass(frozen=True)
class Taken:
    """What of a line is secret, and what is open behind it."""

    secrets: Spans
    opened: Opened | None


def secrets_over_lines(seen: str, opened: Opened | None = None) -> tuple[Spans, Opened | None]:
    """Where secrets are in a text, by the lines before them in it, and by what was open before it; what it opens."""
    secrets: Spans = []
    at, several = 0, may_hold_several(seen)
    for line in seen.split("\n"):
        if opened or several or _may_open(line):
            taken = _take(line, opened)
            secrets += [(at + begins, at + ends) for begins, ends in taken.secrets]
            opened = taken.opened
        at += len(line) + 1
    return secrets, opened


def may_hold_several(text: str) -> bool:
    """Whether a line by itself is worth a look."""
    lowered = text.lower()
    for word in _OPEN_HINTS:
        if word in lowered:
            break
    else:
        return False
    return True


def _take(line: str, opened: Opened | None) -> Taken:
    while opened:
        taken = opened.read(opened, line) if opened.lines < LINES else None
        if taken and taken.opened and taken.opened.read is _below:
            more = _opens(line, taken.opened)
            return Taken(taken.secrets + more.secrets, more.opened or taken.opened)
        if taken:
            return taken if taken.opened else Taken(taken.secrets, opened.outer)
        opened = opened.outer
    return _opens(line, None)


def _opens(line: str, outer: Opened | None) -> Taken:
    """What a line opens, and what secrets are behind that in the line itself."""
    if "-----BEGIN" in line and _KEY_BEGINS.search(line):
        return Taken([], Opened(_key, outer=outer))
    secrets: Spans = []
    at, indent = 0, len(line) - len(line.lstrip(" \t-"))
    nested = outer.nested + 1 if outer else 0
    if nested > WITHIN:
        return Taken(secrets, None)
    while found := _OPENING.search(line, at):
        at = found.end()
        before = line[max(0, found.start() - _NAME) : found.start()]
        if not (named := _named(before)):
            continue
        several = named["several"] or ""
        opened = Opened(
            _below,
            several or named["name"],
            several=bool(several),
            blamed=BLAMED.search(before[: named.start()]) is not None,
            indent=indent,
            nested=nested,
            outer=outer,
        )
        if found["bracket"]:
            inner, at, is_list = _bracketed(replace(opened, read=_within, depth=1), line, at)
            secrets += inner.secrets
            if inner.opened and is_list:
                return Taken(secrets, inner.opened)
        elif found["commas"]:
            secrets += [found.span("commas")] if several else []
        elif found["text"]:
            return Taken(secrets, None if opened.blamed else replace(opened, read=_text))
        elif found["by"] != "=" or several:
            return Taken(secrets, opened)
    if _ELEMENT.match(line):
        return Taken(secrets, Opened(_element, outer=outer))
    return Taken(secrets, Opened(_apart, outer=outer) if _APART.match(line) else None)


def _may_open(line: str) -> bool:
    """Whether it is worth a longer look: most lines end with a word."""
    ends = line[-1:] if line[-1:] > " " else line.rstrip()[-1:]
    if ends in _AFTER_BRACKET and (":" in line or "=" in line) and ("[" in line or "(" in line or "{" in line):
        return True
    return ends in _OPEN_ENDS or "|" in line[-8:] or ">" in line[-8:] or _APART.match(line) is not None


def _named(before: str) -> re.Match[str] | None:
    """The name that a text ends with, where it is a secret's."""
    lowered = before.lower()
    for word in _HINTS:  # any() would take longer than the pattern
        if word in lowered:
            return _NAMED.search(before)
    return None


def _goes_on(opened: Opened) -> Opened:
    return replace(opened, lines=opened.lines + 1)


def _all_of(line: str) -> Spans:
    begins, ends = len(line) - len(line.lstrip()), len(line.rstrip())
    return [(begins, ends)] if begins < ends and MASK not in line else []


def _key(opened: Opened, line: str) -> Taken | None:
    return Taken(_all_of(line), _goes_on(opened)) if _KEY_BODY.fullmatch(line) else None


def _text(opened: Opened, line: str) -> Taken | None:
    indent = len(line) - len(line.lstrip())
    if line.strip() and (indent <= opened.indent or _TRACE.match(line)):
        return None
    return Taken(_all_of(line), _goes_on(opened))


def _element(opened: Opened, line: str) -> Taken | None:
    text = line.partition("<")[0]
    return Taken(_all_of(text) if len(text.split()) == 1 and MASK not in text else [], None)


def _apart(opened: Opened, line: str) -> Taken | None:
    found = _ITS_VALUE.match(line)
    if not found or found["value"] == MASK or _NOTHING.fullmatch(found["value"]):
        return None
    return Taken([found.span("value")], None)


def _below(opened: Opened, line: str) -> Taken | None:
    """A line of a list or a mapping of YAML, of a list in an INI file, or the value alone."""
    found = _BELOW.match(line)
    if not found or not line.strip():
        return Taken([], _goes_on(opened)) if opened.lines else None
    value, key = found["value"].rstrip(), found["key"]
    inside = len(found["indent"]) >= opened.indent + (not found["dash"])
    if key and not (inside and opened.several):
        return None
    if not (key or (inside and found["dash"])):
        lone = len(value.split()) == 1 and (NEVER_SAID.search(opened.name) or _may_be_one(value))
        if not lone or (opened.lines and not inside):
            return None
    hidden = [(found.start("value"), found.start("value") + len(value))]
    goes_on = _goes_on(opened) if inside else None
    if _BLOCK.fullmatch(value):
        return Taken([], replace(opened, read=_text, indent=len(found["indent"]), outer=goes_on))
    said = not key and value[:1] not in ('"', "'") and SENTENCE.match(value) and not NEVER_SAID.search(opened.name)
    return Taken([] if said or _stays(value, key or "", opened) else hidden, goes_on)


def _may_be_one(word: str) -> bool:
    return (
        word[-1] not in ":{[("
        and not re.match(r"[\w.-]+[:=]\S*[^=]$", word)
        and (len(word) >= _LONE or any(letter.isdigit() for letter in word))
    )


def _stays(value: str, key: str, opened: Opened) -> bool:
    if MASK in value or _NOTHING.fullmatch(value) or (key and _PLAIN.fullmatch(key)):
        return True
    if _NUMBER.fullmatch(value) and (key or opened.name.lower().startswith("token")):
        return True  # how many there are
    return opened.blamed and len(value.strip("\"'`")) <= BLAMED_SHORT


def _within(opened: Opened, line: str) -> Taken | None:
    taken, _, is_list = _bracketed(_goes_on(opened), line, 0)
    return taken if is_list else None


def _bracketed(opened: Opened, line: str, at: int) -> tuple[Taken, int, bool]:
    """What is secret between brackets, up to their end or the line's, where that is, and whether all is a list."""
    secrets: Spans = []
    depth, key, last = opened.depth, "", "comma"
    while depth and at < len(line) and (token := _TOKEN.match(line, at)):
        kind, at = token.lastgroup or "", token.end()
        if kind == "end":
            break
        if kind == "space":
            continue
        if kind in _FOLLOWS and last in _FOLLOWS[kind]:
            return Taken(secrets[: -1 if last == "word" else None], None), at, False  # words of a message
        if kind in ("word", "quoted"):
            if not _stays(token[0], key, opened):
                secrets.append(token.span())
            key = ""
        elif kind == "key":
            key = token[0].rstrip(":=> ")
        elif kind in ("open", "close"):
            depth += 1 if kind == "open" else -1
            key = key if len(token[0]) > 1 else ""
        else:
            key = ""
        last = "comma" if kind in ("open", "key") else kind
    return Taken(secrets, replace(opened, depth=depth) if depth else None), at, True
