"""Everything Drydock reads from its environment, in one typed place (README lists the variables)."""

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from dashboard.private_files import keep_private
from dashboard.variables import number, span, url, whole
from functions_app.domain import limits

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
ORIGIN = re.compile(r"https?://(?P<host>(?:\*\.)?[\w.-]+|\[[0-9a-fA-F:]+\])(?::\d+)?", re.ASCII)
TRUE = {"1", "true", "yes", "on"}


@dataclass(frozen=True)
class Environment:
    """The settings an installation may change. Durations are in seconds."""

    data_dir: Path
    clock_ahead: timedelta
    database_url: str = field(repr=False)  # it may hold a login, as the next ones do
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    debug: bool
    https: bool
    allowed_hosts: tuple[str, ...]
    trusted_origins: tuple[str, ...]
    registry_mirrors: Mapping[str, str] = field(repr=False)
    registry_auth_file: str
    registry_hosts: tuple[str, ...]
    sync_every: float
    base_poll_every: float
    base_streams: tuple[str, ...]
    hook_token: str = field(repr=False)
    metrics_token: str = field(repr=False)
    event_queues: tuple[str, ...]
    quota_share: float
    keep_logs_days: float
    keep_plans_days: float
    production_aliases: tuple[str, ...]
    rebuild_webhook_url: str = field(repr=False)  # '': nobody is told of rebuilds
    rebuild_webhook_secret: str = field(repr=False)
    streams_per_person: int
    session_idle: timedelta
    session_longest: timedelta
    web_threads: int
    plan_threads: int
    worker_threads: Mapping[str, int]

    @property
    def embedded_redis(self) -> bool:
        """Whether Drydock starts its own Valkey (no REDIS_URL was given)."""
        return self.redis_url.startswith("unix://") and self.redis_url.endswith(EMBEDDED_SUFFIX)


EMBEDDED_SUFFIX = "drydock-valkey.sock"
DEMO = "DRYDOCK_DEMO"  # set in the processes that run with the demo's environment
WORKER_THREADS = {
    # Threads of each queue's worker, a process of some 100 MB each: they wait for AWS, not for the processor.
    "changes": 8,  # one change at a time per function; each waits for Lambda most of its minute
    "reading": 8,  # a sync reads with 16 threads of its own; the others wait for registries, 25 s an answer at worst
    "invocations": 16,  # up to 15 minutes each
    "tick": 1,  # hands out what is due, in some ms a second; two at once would find nothing more to do
}
SESSION_IDLE_HOURS = "12"
"""A working day with its breaks is one sign-in; what was left open at night has ended by morning."""
SESSION_DAYS = "7"
"""Whoever copied a cookie and keeps it busy has it no longer than a week."""
MONTH = 30 * 86_400  # seconds between two looks, at most
LONGEST_KEPT = 36_500  # days: what is to be kept for ever
MOST_WEB_THREADS = 64  # beside them pages would wait for the interpreter, and each keeps a connection
DATABASES = ("sqlite", "postgres", "postgresql")
BROKERS = ("redis", "rediss", "unix")
SHORTEST_TOKEN = 16  # characters
SOCKET_PATH_LIMIT = 100  # bytes; sockaddr_un holds 107 on Linux and 103 on macOS


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _mirrors(text: str) -> dict[str, str]:
    """Parse `public.ecr.aws=http://127.0.0.1:8600,*.amazonaws.com=http://...` (host pattern = base URL)."""
    pairs = {}
    for word in _words(text):
        host, separator, url = word.partition("=")
        if not separator or not url.startswith(("http://", "https://")):
            raise ValueError(f"DRYDOCK_REGISTRY_MIRRORS: expected HOST=http(s)://..., got {word!r}")
        pairs[host.strip()] = url.strip().rstrip("/")
    return pairs


def _stream_names(text: str) -> tuple[str, ...]:
    """Parse `python:3.12,nodejs:22`: which of Lambda's own bases are watched; empty for all of them."""
    for word in _words(text):
        if not re.fullmatch(r"[a-z]+:[\w.-]+", word):
            raise ValueError(f"DRYDOCK_BASE_STREAMS: expected NAME:TAG as in python:3.12, got {word!r}")
    return _words(text)


def _origins(text: str) -> tuple[str, ...]:
    """Parse `https://drydock.example.com,...`: what people type, where a proxy stands in front."""
    for word in _words(text):
        if not ORIGIN.fullmatch(word):
            raise ValueError(f"DRYDOCK_TRUSTED_ORIGINS: expected https://HOST or http://HOST, got {word!r}")
    return _words(text)


def _https(text: str, origins: Sequence[str]) -> bool:
    """Whether cookies are for HTTPS alone: as DRYDOCK_HTTPS says, else where people come by https."""
    return text.strip().lower() in TRUE if text.strip() else any(each.startswith("https:") for each in origins)


def _allowed_hosts(text: str, origins: Sequence[str]) -> tuple[str, ...]:
    """This machine's own names, and those that are given; without any those that people come by."""
    hosts = (found["host"].removeprefix("*") for found in map(ORIGIN.fullmatch, origins) if found)
    return tuple(dict.fromkeys([*LOOPBACK, *(_words(text) or hosts)]))


def _token(variables: Mapping[str, str], name: str) -> str:
    text = variables.get(name, "").strip()
    if text and len(text) < SHORTEST_TOKEN:
        raise ValueError(f"{name}: expected at least {SHORTEST_TOKEN} characters; `openssl rand -hex 32`")
    return text


def _rebuild_webhook(variables: Mapping[str, str]) -> tuple[str, str]:
    """Where a team's pipeline is started, and the secret that signs it: both, or neither."""
    address = url(variables, "DRYDOCK_REBUILD_WEBHOOK_URL", ("https", "http")).strip()
    secret = _token(variables, "DRYDOCK_REBUILD_WEBHOOK_SECRET")
    if bool(address) != bool(secret) or (address and not urlsplit(address).hostname):
        raise ValueError(
            "DRYDOCK_REBUILD_WEBHOOK_URL: expected https://HOST/..., and DRYDOCK_REBUILD_WEBHOOK_SECRET beside it"
        )
    return address, secret


def _queues(text: str) -> tuple[str, ...]:
    """Parse `arn:aws:sqs:REGION:ACCOUNT:NAME,...`."""
    for word in _words(text):
        if not re.fullmatch(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[\w-]{1,80}(?:\.fifo)?", word, re.ASCII):
            raise ValueError(f"DRYDOCK_EVENT_QUEUES: expected arn:aws:sqs:REGION:ACCOUNT:NAME, got {word!r}")
    return _words(text)


def _production_aliases(text: str) -> tuple[str, ...]:
    """Parse `live,prod*`: words and patterns, as functions_app.domain.changes.production reads them."""
    for word in _words(text):
        if not re.fullmatch(r"[\w*?-]{1,128}", word, re.ASCII):
            raise ValueError(f"DRYDOCK_PRODUCTION_ALIASES: expected words and patterns as in live,prod*, got {word!r}")
    return _words(text)


def _clock_ahead(variables: Mapping[str, str]) -> timedelta:
    """How far the demo's day lies ahead of today, in seconds; refused outside of demo and tests."""
    text = variables.get("DRYDOCK_CLOCK_AHEAD", "")
    if text and not variables.get(DEMO):
        raise ValueError("DRYDOCK_CLOCK_AHEAD: only `manage.py demo --today` may move the clock")
    if text and not re.fullmatch(r"-?\d{1,10}(\.\d{1,6})?", text):  # at most some three hundred years
        raise ValueError(f"DRYDOCK_CLOCK_AHEAD: expected seconds, got {text!r}")
    return timedelta(seconds=float(text or 0))


def _worker_threads(text: str) -> dict[str, int]:
    """Parse `reading=16,invocations=32`: other numbers of threads than WORKER_THREADS has."""
    threads = dict(WORKER_THREADS)
    for word in _words(text):
        name, _, number = word.partition("=")
        if name not in threads or not number.isdecimal() or not 0 < int(number) <= 256:
            raise ValueError(f"DRYDOCK_WORKER_THREADS: expected QUEUE=1 to 256 ({', '.join(threads)}), got {word!r}")
        threads[name] = int(number)
    return threads


def _secret_key(variables: Mapping[str, str], data_dir: Path) -> str:
    """The given key, or one made once and kept, readable by its owner alone, in the data directory."""
    if given := variables.get("DRYDOCK_SECRET_KEY"):
        return given
    path = data_dir / "secret_key"
    if not path.exists():
        # Written aside, then linked: of several processes that start at once one makes the key, none reads half of it.
        aside = data_dir / f".secret_key.{os.getpid()}.{secrets.token_hex(4)}"
        try:
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(secrets.token_urlsafe(50))
            with suppress(FileExistsError):
                os.link(aside, path)
        finally:  # also where the disk is full
            aside.unlink(missing_ok=True)
    if key := path.read_text(encoding="utf-8", errors="replace").strip():
        return key
    raise ValueError(f"{path} is empty. Delete it: a new key is made, and everybody signs in anew.")


def sqlite_file(database_url: str) -> Path | None:
    """The file of an SQLite database; None for any other, and for one in memory."""
    found = re.fullmatch(r"sqlite:///([^?:]+)(\?.*)?", database_url)
    return Path(unquote(found[1])).absolute() if found else None


def _from_anywhere(database_url: str) -> str:
    """The same address for processes that work in another directory."""
    file, (_, mark, query) = sqlite_file(database_url), database_url.partition("?")
    return f"sqlite:///{quote(str(file))}{mark}{query}" if file else database_url


def embedded_socket(data_dir: Path) -> Path:
    """Where the embedded Valkey listens: in the data directory, or a short private one if that path is too long."""
    path = data_dir / EMBEDDED_SUFFIX
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        return path
    import hashlib

    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    short = Path("/tmp") / f"drydock-{os.getuid()}-{name}"  # noqa: S108 - private: made 0700, owner checked
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid() or short.is_symlink():
        raise PermissionError(f"{short} belongs to somebody else. Set DRYDOCK_DATA_DIR to a shorter path.")
    short.chmod(0o700)
    return short / EMBEDDED_SUFFIX


def embedded_url(data_dir: Path) -> str:
    """The same as a REDIS_URL, whatever characters the path has."""
    return f"unix://{quote(str(embedded_socket(data_dir)))}"


def _data_dir(text: str) -> Path:
    """The directory itself, wherever links lead."""
    if not text.isprintable():  # nor what is no UTF-8: it could stand in no URL, and in no line of a log
        raise ValueError(f"DRYDOCK_DATA_DIR: expected a path of characters that can be printed, got {text!a}")
    try:
        return Path(text).resolve()
    except (OSError, RuntimeError) as error:  # links that lead in a circle
        raise ValueError(f"DRYDOCK_DATA_DIR: {text} leads nowhere: {error}") from error


def read(variables: Mapping[str, str] = os.environ) -> Environment:
    """Read the environment once, and close the data directory to others.

    Raises ValueError naming the variable that is malformed, PermissionError for a directory that can't be closed, and
    OSError for one that can't be used.
    """
    data_dir = _data_dir(variables.get("DRYDOCK_DATA_DIR") or str(ROOT / "var"))
    embedded = f"sqlite:///{quote(str(data_dir / 'drydock.sqlite3'))}"
    database_url = _from_anywhere(url(variables, "DATABASE_URL", DATABASES) or embedded)
    keep_private(data_dir, sqlite_file(database_url))
    origins = _origins(variables.get("DRYDOCK_TRUSTED_ORIGINS", ""))
    rebuild_url, rebuild_secret = _rebuild_webhook(variables)
    auth_file = variables.get("DRYDOCK_REGISTRY_AUTH_FILE", "")
    return Environment(
        data_dir=data_dir,
        clock_ahead=_clock_ahead(variables),
        database_url=database_url,
        redis_url=url(variables, "REDIS_URL", BROKERS) or embedded_url(data_dir),
        secret_key=_secret_key(variables, data_dir),
        debug=variables.get("DRYDOCK_DEBUG", "").lower() in TRUE,
        https=_https(variables.get("DRYDOCK_HTTPS", ""), origins),
        allowed_hosts=_allowed_hosts(variables.get("DRYDOCK_ALLOWED_HOSTS", ""), origins),
        trusted_origins=origins,
        registry_mirrors=_mirrors(variables.get("DRYDOCK_REGISTRY_MIRRORS", "")),
        registry_auth_file=str(Path(auth_file).absolute()) if auth_file else "",
        registry_hosts=_words(variables.get("DRYDOCK_REGISTRY_HOSTS", "").lower()),
        sync_every=number(variables, "DRYDOCK_SYNC_EVERY", "300", 1, MONTH),
        base_poll_every=number(variables, "DRYDOCK_BASE_POLL_EVERY", "3600", 1, MONTH),
        base_streams=_stream_names(variables.get("DRYDOCK_BASE_STREAMS", "")),
        hook_token=_token(variables, "DRYDOCK_HOOK_TOKEN"),
        metrics_token=_token(variables, "DRYDOCK_METRICS_TOKEN"),
        event_queues=_queues(variables.get("DRYDOCK_EVENT_QUEUES", "")),
        quota_share=number(variables, "DRYDOCK_QUOTA_SHARE", "0.66", 0.01, 100),  # a sandbox has no quota
        keep_logs_days=number(variables, "DRYDOCK_KEEP_LOGS_DAYS", "90", 1, LONGEST_KEPT),
        keep_plans_days=number(variables, "DRYDOCK_KEEP_PLANS_DAYS", "30", 1, LONGEST_KEPT),
        production_aliases=_production_aliases(variables.get("DRYDOCK_PRODUCTION_ALIASES", "")),
        rebuild_webhook_url=rebuild_url,
        rebuild_webhook_secret=rebuild_secret,
        streams_per_person=whole(variables, "DRYDOCK_STREAMS_PER_PERSON", limits.PERSONS_STREAMS, limits.STREAMS),
        session_idle=span(variables, "DRYDOCK_SESSION_IDLE_HOURS", SESSION_IDLE_HOURS, timedelta(hours=1)),
        session_longest=span(variables, "DRYDOCK_SESSION_DAYS", SESSION_DAYS, timedelta(days=1)),
        worker_threads=_worker_threads(variables.get("DRYDOCK_WORKER_THREADS", "")),
        web_threads=whole(variables, "DRYDOCK_WEB_THREADS", 2, MOST_WEB_THREADS),
        # Each keeps a connection to the database while it waits for AWS (settings).
        plan_threads=whole(variables, "DRYDOCK_PLAN_THREADS", limits.PLAN_THREADS, limits.MOST_PLAN_THREADS),
    )
