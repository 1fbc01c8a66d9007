"""The level of a line, as the logger that wrote it says: loggers of Lambda's runtimes and of what people use on them.

A level is a field of its own: a member of a JSON object, a pair of logfmt, or a word where loggers put it, at the
beginning or after times, ids and names. A message that merely speaks of an error is none.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from functions_app.domain.text import storable

LOOKED_AT = 300  # characters of a line that is no JSON: no logger writes its level later

_WORDS = {
    "error": "ERROR ERR ERRO EROR FATAL FTL FATA CRITICAL CRIT SEVERE ALERT EMERGENCY EMERG PANIC PANI PNC DPANIC "
    "EXCEPTION FAIL",
    "warning": "WARN WARNING WRN",
    "info": "INFO INF INFORMATION NOTICE",
    "debug": "DEBUG DBG DBUG DEBU TRACE TRC TRCE TRAC VERBOSE VRB SILLY",
}
_LEVELS = {word: level for level, words in _WORDS.items() for word in words.split()}

# JSON: members that hold a word, and those that hold a number, each with where warnings and errors begin.
_WORD_KEYS = (
    *("level", "level_name", "levelname", "loglevel", "log_level", "log.level", "lvl", "LogLevel", "Level", "@l"),
    *("@level", "severity", "severityText", "severity_text"),
)
_NUMBER_KEYS = {"levelno": (20, 30, 40), "severityNumber": (9, 13, 17), "severity_number": (9, 13, 17)}
_BUNYAN = (30, 40, 50)  # pino's too; both write a time and a message beside it
_GELF = {0: "error", 1: "error", 2: "error", 3: "error", 4: "warning", 7: "debug"}  # as syslog numbers them

# Text: what may stand before a level.
_DATE = r"(?:\d{4}[-/]\d\d[-/]\d\d|\d\d[-/]\d\d[-/]\d{4})"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?(?:\s?[AP]M)?"
_STAMP = rf"(?:{_DATE}(?:[T\s,]\s?{_CLOCK})?|{_CLOCK}|\d{{10,19}}(?:\.\d+)?)(?:\s?(?:Z|UTC|[+-]\d\d:?\d\d))?"
_ID = r"(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|undefined)"
_WORD = rf"(?P<level>{'|'.join(sorted(_LEVELS, key=len, reverse=True))})"
_ANY_CASE = rf"(?i:{_WORD})"
_IN_BRACKETS = rf"\[(?!\s*(?i:{'|'.join(_LEVELS)})\s*\])[^\][]{{0,60}}\]"
_HEAD = rf"[^\w\[{{\"'(<]*(?:(?:{_STAMP}|{_ID}|{_IN_BRACKETS}|\d+\s+-|[-|])[,:]?\s+){{0,6}}"
_NAME = r"(?:(?<=\s)[A-Za-z_$][\w$]*(?:\.[\w$]+)+\s+)?"  # a logger's, known by its dots
_NOTHING = r"(?!\s*(?:$|0\s|(?:none|null|nil|undefined|false|0|\"\"|''|\[\]|\{\})(?:[,;]|\.?\s*$)))"
_LEVELS_WITH_COLON = "(?P<level>(?i:error|err|fatal|critical|crit|severe|fail|warning|warn|info|debug|dbug|trace|trce))"
_FORMATS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\[{_STAMP}[:\s]\s*{_WORD}[\s/\]]",  # Serilog, env_logger, celery
        rf"{_HEAD}{_NAME}{_WORD}(?=[\s:|,\]\[/]|$)",  # the word alone in capitals: most of them
        rf"{_HEAD}{_NAME}\[\s*{_ANY_CASE}\s*\]",  # Python on Lambda, gunicorn, structlog
        rf"{_HEAD}{_LEVELS_WITH_COLON}:(?=\s)(?i:{_NOTHING})",  # winston, .NET's console, exceptions of Node
        rf"{_HEAD}(?<=\t){_ANY_CASE}(?=\t)",  # .NET on Lambda, zap
        rf"{_STAMP}\s+-\s+(?:[\w.$-]+\s+-\s+)??{_ANY_CASE}\s+-\s",  # Python, time - name - level - message
        rf"{_STAMP}\s*\|\s*{_ANY_CASE}\s*\|",  # loguru
        rf"[A-Z], \[{_STAMP} #\d+\]\s+(?:{_ID}\s+)?{_WORD} -- ",  # Ruby
        rf"\[{_STAMP}\]\s+[\w-]+\.{_WORD}: ",  # Monolog
        rf"(?:[\w.@/-]+=(?:\"(?:[^\"\\]|\\.)*\"|[^\s\"]*)\s+){{0,8}}"
        rf"(?:level|lvl|severity|loglevel|log_level|log\.level)=\"?{_ANY_CASE}(?=[\"\s+-]|$)",  # logfmt
    )
)
_KLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d")
_KLOG_LEVELS = {"W": "warning", "E": "error", "F": "error"}
_SPOKEN_OF = re.compile(rf"\b{_ANY_CASE}\b")


def level_of(line: str) -> str:
    """The level a function's line says it has: error, warning, info or debug; info where it says none."""
    if line.lstrip().startswith("{"):
        return _of_record(_record(line))
    text = storable(line[:LOOKED_AT])  # loggers colour their levels
    if match := _KLOG.match(text):
        return _KLOG_LEVELS.get(match[1], "info")
    if _SPOKEN_OF.search(text):  # most lines end here
        for pattern in _FORMATS:
            # Letters of other scripts fit in any case: İ is taken for an I, and is none.
            if (match := pattern.match(text)) and (level := _LEVELS.get(match["level"].upper())):
                return level
    return "info"


def _record(line: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _of_record(record: Mapping[str, Any]) -> str:
    """The level of a structured line: by a word, else by a number of a known scale."""
    nested = record.get("log")  # Elastic's common schema, not flattened
    words = [record.get(key) for key in _WORD_KEYS] + [nested.get("level") if isinstance(nested, dict) else None]
    for word in words:
        if isinstance(word, str) and (level := _LEVELS.get(re.split(r"[+-]", word.strip())[0].upper())):
            return level  # slog writes levels between as ERROR+2
    for key, bounds in _NUMBER_KEYS.items():
        if (number := _number(record.get(key))) is not None:
            return _by_bounds(number, bounds)
    number = _number(record.get("level"))
    if number is not None and "short_message" in record:
        return _GELF.get(int(number), "info")
    if number is not None and record.keys() & {"time", "msg", "message"}:
        return _by_bounds(number, _BUNYAN)
    return "info"


def _by_bounds(number: float, bounds: tuple[int, int, int]) -> str:
    info, warning, error = bounds
    if number >= warning:
        return "error" if number >= error else "warning"
    return "info" if number >= info else "debug"


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
