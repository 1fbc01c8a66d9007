"""Django's settings for Drydock; what an installation may change is read in dashboard.env."""

import tomllib
from typing import Any

import dj_database_url

from dashboard import env
from dashboard.schedule import beat_schedule
from functions_app.domain import limits
from functions_app.domain.runs import Priority

ENV = env.read()
BASE_DIR = env.ROOT
SECRET_KEY = ENV.secret_key
DEBUG = ENV.debug
ALLOWED_HOSTS = list(ENV.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(ENV.trusted_origins)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "functions_app",
]
MIDDLEWARE = [
    "functions_app.web.request_figures.RequestFigures",
    "csp.middleware.CSPMiddleware",  # around everything: static files, redirects and errors carry the policy too
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "functions_app.web.compressed_pages.CompressedPages",
    "functions_app.web.nul_guard.NulGuard",
    "functions_app.web.database_guard.DatabaseGuard",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    # Who is there comes first: the form of somebody who is not signed in is not parsed for its token.
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "functions_app.web.http.SignedIn",
    "functions_app.web.people.last_seen.LastSeen",
    "functions_app.web.nul_guard.NulFormGuard",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "functions_app.web.http.ProblemMiddleware",
]
ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["template_partials.templatetags.partials"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "functions_app.web.frame.page_frame",
            ],
        },
    }
]

# A pool and persistent connections exclude each other; SQLite's are cheap to keep per thread.
DATABASES: dict[str, Any] = {"default": dj_database_url.parse(ENV.database_url)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["CONN_MAX_AGE"] = None
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 8,  # seconds: whoever waits for another writer still renews a lease of 14 in time
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # a restart of PostgreSQL fails no page
    # Each plan keeps a connection while it waits for AWS, in no transaction: those of the others come on top.
    connections = 24 + ENV.plan_threads
    options = DATABASES["default"].setdefault("OPTIONS", {})
    options["pool"] = {"min_size": 1, "max_size": connections, "timeout": 10}
    # A process that is frozen, or whose host is gone, in the middle of a transaction keeps its rows for so long at
    # most; the server itself would find out after two hours. To compile a query takes longer than any of a page's runs:
    # over 100,000 functions 67 ms, for one that takes 25.
    options.setdefault("options", "-c idle_in_transaction_session_timeout=60s -c jit=off")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": ENV.redis_url}}
SESSION_ENGINE = "functions_app.services.people.session_store"
SESSION_COOKIE_AGE = int(ENV.session_longest.total_seconds())  # the server ends it sooner where nobody uses it

AUTHENTICATION_BACKENDS = ["functions_app.services.people.backend.PeopleBackend"]
DEFAULT_EXCEPTION_REPORTER = "functions_app.web.debug_page.SafeReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "functions_app.web.debug_page.SafeFilter"
CSRF_FAILURE_VIEW = "functions_app.web.http.csrf_failure"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = ENV.data_dir / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = limits.FORM
DATA_UPLOAD_MAX_NUMBER_FIELDS = limits.FIELDS
DATA_UPLOAD_MAX_NUMBER_FILES = limits.FILES
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.https
SECURE_SSL_REDIRECT = ENV.https
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]  # asked from within, past the proxy
SECURE_HSTS_SECONDS = 31_536_000 if ENV.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = ENV.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.https else None

# Celery: messages are only wake-ups, the database is the truth (design.md), so nothing is kept as a result.
CELERY_BROKER_URL = ENV.redis_url.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CHANNEL_ERROR_RETRY = True  # a Redis that refuses to write (its disk is full) is one that is away
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlasts any absence of Redis; it would give up after an hour
# A broker that is away is noticed at once, not retried for seconds in front of a waiting person: the tick resends.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
    "socket_connect_timeout": 2,
    # Of one queue the urgent first: kombu keeps a list for each step, and takes from the first that is not empty.
    "priority_steps": list(Priority),
    "sep": "\x06\x16",
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONSUMER = "dashboard.consumer:Consumer"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = beat_schedule(ENV)
CELERY_BEAT_SCHEDULER = "dashboard.beat:Scheduler"

DRYDOCK_PRODUCTION_ALIASES = ENV.production_aliases

# What statements on rebased images name as their tool.
DRYDOCK_VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]

# Where the kinds of runs are listed (tests name their own).
DRYDOCK_KINDS = "functions_app.services.kinds.KINDS"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "functions_app.domain.redaction.RedactingFormatter",
            "format": "%(asctime)s %(levelname)s %(processName)s[%(process)d] %(name)s: %(message)s",
        }
    },
    "filters": {
        "absences": {"()": "dashboard.absences.Absences"},
        "repeats": {"()": "dashboard.repeats.Repeats"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["absences", "repeats"]},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    # Whoever scans addresses asks for wrong hosts all day; the answer itself says what to set.
    "loggers": {
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "functions_app.api.door": {"level": "INFO"},  # a line for each request of a bot: who, what, which answer
        "uvicorn": {"handlers": ["console"], "propagate": False},  # in place of its own, which no filter passes
        "uvicorn.access": {"level": "WARNING"},  # --no-access-log takes a handler away, which the line above gives back
    },
}
