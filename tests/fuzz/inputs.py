"""Inputs: real ones that were damaged, and what no honest tool would write."""

import json
import re
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.bounds import FRAMES

WIDTHS = {1: "B", 2: "H", 4: "I", 8: "Q"}
EDGES = (0, 1, 2, 7, 8, 15, 16, 127, 128, 255, 256, 511, 512, 4095, 4096, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
MOST_EDITS = 6
# Texts of which one or another reader may think that it knows better.
ODD_TEXTS = (
    *("", " ", "\0", "a\0b", "\ud800", "\udc00\ud83d", "\u202e", "\u200b", "\ufeff", "\u00a0", "\u2028"),
    *("\x1b", "\x9b"),
    *("\x1b[31mred\x1b[0m", "\x1b]0;title", "\r", "a\r\nb\r", "\t", "\x1c", "…", "🚢", "İ", "ı", "ſ", "K"),
    *("İNFO", "ß", "ﬁ"),
    *("*", "?", "[", "[!a-", "[z-a]", "\\", "%s", "{}", "{0}", "$LATEST", "../..", "/", "//", ".", "..", "-", "=", ":"),
    *("0", "-0", "00", "1e999", "9" * 400, "9" * 5000, "nan", "Infinity", "-1", "٣", "½", "²", "0x10", "1_000"),
    *("sha256:" + "a" * 64, "sha256:" + "A" * 64, "sha256:", "[redacted]", "null", "a" * 300, "a/" * 300, "x" * 5000),
    *("2026-10-03T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-W01"),
    *("20261003T1", "24:00"),
)  # fmt: skip
ODD_NUMBERS = (0, -1, 1, 2**31, 2**53 + 1, 2**63, 10**30, 10**4000, 1e308, -0.0, 0.1, float("inf"), float("nan"))
_DEEP = "@deep{}@"
_DEEPER = re.compile(r'"@deep(\d{1,4})@"')

texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=40), st.lists(st.sampled_from(ODD_TEXTS)).map("".join))
# Deeper than json itself reads, or just so deep that whoever goes down once more falls.
depths = st.one_of(st.integers(1, 4), st.integers(90, 110), st.integers(FRAMES - 60, FRAMES + 10))
odd_values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(ODD_NUMBERS),
    texts,
    depths.map(_DEEP.format),
    st.recursive(
        st.one_of(st.none(), texts, st.sampled_from(ODD_NUMBERS)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
        max_leaves=6,
    ),
)


@st.composite
def damaged(draw: st.DrawFn, samples: Sequence[bytes]) -> bytes:
    """One of these, with numbers changed, pieces cut out, doubled, moved or put in."""
    data = bytearray(samples[draw(st.integers(0, len(samples) - 1))])  # not sampled: their repr would be endless
    for _ in range(draw(st.integers(0, MOST_EDITS))):
        near = st.integers(0, min(len(data), 600))  # heads say most
        at = draw(st.one_of(near, st.integers(0, len(data))))
        edit = draw(st.sampled_from(("number", "bytes", "cut", "end", "copy", "insert")))
        if edit == "number":
            width = draw(st.sampled_from(sorted(WIDTHS)))
            number = draw(st.one_of(st.sampled_from(EDGES), st.integers(0, 2 ** (8 * width) - 1)))
            order = draw(st.sampled_from(("little", "big")))
            data[at : at + width] = (number % 2 ** (8 * width)).to_bytes(width, order)
        elif edit == "bytes":
            junk = draw(st.binary(min_size=1, max_size=20))
            data[at : at + len(junk)] = junk
        elif edit == "cut":
            del data[at : at + draw(st.integers(1, 600))]
        elif edit == "end":
            del data[at:]
        else:
            source = draw(st.integers(0, len(data)))
            piece = data[source : source + draw(st.integers(1, 1024))]
            data[at : at + (len(piece) if edit == "copy" else 0)] = piece
    return bytes(data)


@st.composite
def edited(draw: st.DrawFn, samples: Sequence[Any]) -> Any:
    """One of these JSON values, with some of what is in it gone, doubled, wrapped up or something else."""
    value = json.loads(json.dumps(draw(st.sampled_from(samples))))
    for _ in range(draw(st.integers(0, MOST_EDITS))):
        holder, key = draw(st.sampled_from([*_places(value)] or [([value], 0)]))
        edit = draw(st.sampled_from(("odd", "odd", "gone", "listed", "within", "twin", "name")))
        if edit == "odd":
            holder[key] = draw(odd_values)
        elif edit == "gone":
            del holder[key]
        elif edit == "listed":
            holder[key] = [holder[key]] * draw(st.integers(0, 3))
        elif edit == "within":
            holder[key] = {draw(texts): holder[key]}
        elif isinstance(holder, list):
            holder.insert(key, draw(st.sampled_from(holder)))
        else:
            holder[draw(texts)] = holder[key]
    return value


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every value within, as what holds it and under which key."""
    if not isinstance(value, dict | list):
        return []
    pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    return [place for key, item in pairs for place in ((value, key), *_places(item))]


@st.composite
def json_texts(draw: st.DrawFn, samples: Sequence[Any]) -> str:
    """An edited value as JSON, however it may be written; seldom it is none."""
    ascii_only, indent = draw(st.booleans()), draw(st.sampled_from((None, None, 1)))
    text = json.dumps(draw(edited(samples)), ensure_ascii=ascii_only, indent=indent)
    while found := _DEEPER.search(text):
        opening, closing = draw(st.sampled_from((("[", "]"), ('{"a":', "}"))))
        depth = int(found[1])
        text = text[: found.start()] + opening * depth + "1" + closing * depth + text[found.end() :]
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(texts) + text[at + draw(st.integers(0, 3)) :]
    return text


def json_bytes(samples: Sequence[Any]) -> st.SearchStrategy[bytes]:
    """The same in bytes; seldom in another encoding."""
    encodings = st.sampled_from(("utf-8",) * 8 + ("utf-16", "utf-8-sig", "utf-32-le"))
    return st.builds(lambda text, encoding: text.encode(encoding, "surrogatepass"), json_texts(samples), encodings)
