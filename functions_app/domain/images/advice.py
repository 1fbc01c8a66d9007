"""What could be better about an image that Lambda takes, and what is worth knowing: each with its reason.

Nothing here stops a deployment. What only a reading of the layers can tell is left open until they were read.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from functions_app.domain.images.app_files import AppFiles
from functions_app.domain.images.code_order import code_order, installs
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.images.manifests import HistoryEntry, ImageConfig

ZIP_LIMIT = 250 * 1024**2  # bytes unzipped, of code and layers together
MANAGED = ("python", "nodejs", "java", "dotnet", "ruby", "provided")
LAMBDA_ENTRYPOINT = "/lambda-entrypoint.sh"
SHM = "/dev/shm"  # noqa: S108 - a name to look for
BOOTSTRAP = "var/runtime/bootstrap"  # what that entry point starts on a base for own runtimes
# Bases for which there was never a runtime for zips: .NET versions with short support. Source: AWS's .NET images page.
CONTAINER_ONLY = ("dotnet:5.0", "dotnet:5", "dotnet:7", "dotnet:9")
NOT_READ = "not known: the files of its layers have not been read"

# Libraries that use semaphores or shared memory unless told otherwise; both need /dev/shm, which Lambda lacks.
SHARED_MEMORY = {
    "torch": "its data loaders", "joblib": "its process pools", "scikit-learn": "its process pools (joblib)",
    "multiprocess": "its pools, queues and locks", "pathos": "its pools", "ray": "its object store",
    "dask": "its workers", "distributed": "its workers", "loky": "its pools", "tensorflow": "its data services",
    "chromium": "its renderer",
    "puppeteer": "Chromium's renderer", "playwright": "Chromium's renderer",
}  # fmt: skip
# Libraries that write beneath the home directory or beside themselves, and the variable that leads them elsewhere.
WRITES = {
    "matplotlib": "MPLCONFIGDIR", "transformers": "HF_HOME", "huggingface-hub": "HF_HOME", "numba": "NUMBA_CACHE_DIR",
    "nltk": "NLTK_DATA", "torch": "TORCH_HOME", "tensorflow-hub": "TFHUB_CACHE_DIR", "spacy": "XDG_CACHE_HOME",
    "fontconfig": "XDG_CACHE_HOME", "prisma": "XDG_CACHE_HOME",
}  # fmt: skip

_CLIENT = re.compile(
    r"awslambdaric|aws-lambda-ric|aws_lambda_ric|lambda\.runtime\.api\.client\.AWSLambda|lambda-adapter"
)
_INTERPRETER = re.compile(r"(?:^|/)(?:python[\d.]*|node|java|ruby|dotnet|php|gunicorn|uvicorn|npm|npx|yarn)$")
_WRITE_TO = re.compile(
    r"(?:^|[=\s>])(/(?!tmp(?:/|$)|dev/(?:null|stdout|stderr)|proc/)[\w./-]*(?:log|cache|tmp|run|data)[\w./-]*)"
)


@dataclass(frozen=True)
class AppShape:
    """What advice looks at. None: not known. Sizes in bytes.

    `base` is the release it stands on as people write it, `runtime` that of the AWS base beneath it (`python`),
    `between` a base of one's own between that and the app, `ended` whether it is past its end of life. `base_layers`
    of its layers belong to any base; the others are the app's own: `own_compressed`, `own_bytes` (uncompressed),
    `files`. `packages` are names in lower case. `base_read`: whether the layers of its base are known too; nothing is
    missing where there is none.
    """

    config: ImageConfig
    base: str = ""
    runtime: str = ""
    between: str = ""
    ended: bool = False
    base_layers: int = 0
    own_compressed: int = 0
    own_bytes: int | None = None
    files: AppFiles | None = None
    packages: Collection[str] | None = None
    base_read: bool = True

    @property
    def start(self) -> tuple[str, ...]:
        """The command line that it starts with."""
        return (*self.config.entrypoint, *self.config.command)

    @property
    def env_keys(self) -> set[str]:
        """The names of its variables; their values are never kept."""
        return {key for key, _ in self.config.env}


def advise(shape: AppShape) -> tuple[Check, ...]:
    """All advice and hints on an image, in the order they are shown."""
    return (
        _runtime_client(shape),
        *_web_adapter(shape),
        _code_last(shape),
        *_clutter(shape),
        _shared_memory(shape),
        _read_only(shape),
        _could_be_zip(shape),
    )


def _runtime_client(shape: AppShape) -> Check:
    name, start = "Runtime client", " ".join(shape.start)
    if LAMBDA_ENTRYPOINT in shape.start and (found := _by_the_base(shape)):
        return Check(name, *found, "advice")
    if match := _CLIENT.search(start):
        return Check(name, True, f"Its entry point starts {match[0]}.", "advice")
    if shape.packages is not None and (known := {"awslambdaric", "aws-lambda-ric"} & set(shape.packages)):
        return Check(name, True, f"The package {min(known)} is in it.", "advice")
    if shape.files is not None:
        if shape.files.web_adapter:
            return Check(name, True, "The Lambda Web Adapter takes its place.", "advice")
        if shape.files.runtime_clients:
            return Check(name, True, f"Found: /{shape.files.runtime_clients[0]}.", "advice")
    if LAMBDA_ENTRYPOINT in shape.start:
        text = f"It starts {LAMBDA_ENTRYPOINT}; which of AWS's bases that is from, and what it starts, is not known."
        return Check(name, None, text, "advice")
    if shape.files is None:
        return Check(name, None, f"Its entry point names none; more is {NOT_READ}.", "advice")
    if not shape.base_read:
        return Check(name, None, "Not found in its own layers; those of its base have not been read.", "advice")
    if shape.start and _INTERPRETER.search(shape.start[0]):
        text = f"Not found, and {shape.start[0]} has none of its own: unless its program asks Lambda for events by "
        return Check(name, False, f"{text}itself, Lambda would wait in vain.", "advice")
    return Check(
        name, None, "Not found. A program in Go, Rust or C++ has it compiled in, which can't be seen.", "advice"
    )


def _by_the_base(shape: AppShape) -> tuple[bool | None, str] | None:
    """What the entry point of AWS's bases starts: their own client, or what an app has to bring."""
    if shape.runtime not in MANAGED:
        return None
    if shape.runtime != "provided":
        return True, f"{shape.base} brings it, and its entry point starts it."
    if shape.files is None:
        return (
            None,
            f"{LAMBDA_ENTRYPOINT} starts /{BOOTSTRAP}, which the app has to bring: whether it does is {NOT_READ}.",
        )
    if shape.files.bootstrap:
        return True, f"{LAMBDA_ENTRYPOINT} starts /{BOOTSTRAP}, which it has."
    if shape.between:
        return None, f"{LAMBDA_ENTRYPOINT} starts /{BOOTSTRAP}: not in its own layers, and perhaps in {shape.between}."
    return False, f"{LAMBDA_ENTRYPOINT} starts /{BOOTSTRAP}, which is not in it: Lambda would wait in vain."


def _web_adapter(shape: AppShape) -> tuple[Check, ...]:
    if shape.files is None or not shape.files.web_adapter:
        return ()
    return (
        Check("Lambda Web Adapter", None, "It is in /opt/extensions: events become HTTP calls to its server.", "hint"),
    )


def _code_last(shape: AppShape) -> Check:
    """Code that is copied before dependencies are installed has them installed anew at each change of the code."""
    name, steps = "Code last", app_steps(shape.config.history, shape.base_layers)
    if not steps:
        return Check(name, None, "Its history tells no build step of its own.", "advice")
    order = code_order(steps)
    between = f"“{_brief(order.copied)}” comes before “{_brief(order.after)}”"
    if order.ok is False:
        text = f"{between}: each change of the code installs anew."
        return Check(name, False, f"{text} Copy the list of dependencies, install, then copy the code.", "advice")
    if order.ok is None and order.copied:
        text = f"Not known: {between}, of which one can't tell whether the first is code and the second installs."
        return Check(name, None, text, "advice")
    if order.ok is None:
        named = f"“{_brief(order.after)}”" if order.after.strip() else "a step without a text"
        return Check(name, None, f"Not known: its history has {named}, which may hold anything.", "advice")
    if not installs(steps):
        text = "No step is known to install dependencies: there is nothing to put before the code."
        return Check(name, True, text, "advice")
    return Check(name, True, "Dependencies are installed before the code is copied.", "advice")


def app_steps(history: Sequence[HistoryEntry], base_layers: int) -> tuple[HistoryEntry, ...]:
    """The steps after those that made the base's layers."""
    layers = 0
    for position, step in enumerate(history):
        if layers >= base_layers:
            # Settings of the base that follow its last layer can't be told from the app's, and make no difference.
            return tuple(history[position:])
        layers += not step.empty_layer
    return ()


def _brief(created_by: str) -> str:
    text = " ".join(created_by.split(" # buildkit")[0].replace("/bin/sh -c", "").replace("#(nop)", "").split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def _clutter(shape: AppShape) -> tuple[Check, ...]:
    if shape.files is None:
        return (Check("Files not needed", None, f"{NOT_READ.capitalize()}.", "advice"),)
    secrets = shape.files.secrets
    checks = []
    if secrets:
        names = ", ".join(f"/{path}" for path in secrets)
        text = f"{names}: it may hold secrets, which everybody who may pull the image can read."
        checks.append(Check("Secrets", False, text, "advice"))
    if not shape.files.clutter:
        return (
            *checks,
            Check("Files not needed", True, "No tests, caches, .git or source maps in its own layers.", "advice"),
        )
    found = [
        f"{each.what} ({each.count}, {_size(each.size_bytes)}, as /{each.examples[0]})" for each in shape.files.clutter
    ]
    text = f"{', '.join(found)}. A .dockerignore keeps them out."
    return (*checks, Check("Files not needed", False, text[0].upper() + text[1:], "advice"))


def _shared_memory(shape: AppShape) -> Check:
    if SHM in " ".join(shape.start):
        return Check(SHM, False, f"Its entry point names {SHM}, which Lambda does not have. Use /tmp.", "advice")
    if shape.packages is None:
        return Check(SHM, None, f"Lambda has none. Whether a library needs it is {NOT_READ}.", "hint")
    found = [f"{package} ({SHARED_MEMORY[package]})" for package in sorted(SHARED_MEMORY.keys() & set(shape.packages))]
    if not found:
        text = "Lambda has none. No library is known to need it; own use of multiprocessing can't be seen from outside."
        return Check(SHM, None, text, "hint")
    text = f"Lambda has none, and {', '.join(found)} may need it (Errno 38). Threads and pipes work."
    return Check(SHM, None, text, "hint")


def _read_only(shape: AppShape) -> Check:
    """Only /tmp can be written. Values of variables are never kept, so those are named and not judged."""
    name, text = "Read-only files", "Only /tmp can be written."
    if found := _WRITE_TO.search(" ".join(shape.start)):
        return Check(name, None, f"{text} Its entry point names {found[1]}: if that is written, it fails.", "hint")
    keys = shape.env_keys
    packages = set(shape.packages or ())
    unset = [
        f"{package} ({variable})"
        for package, variable in sorted(WRITES.items())
        if package in packages and variable not in keys
    ]
    if unset:
        return Check(name, None, f"{text} Lead these to /tmp by their variable: {', '.join(unset)}.", "hint")
    named = sorted(keys & {"HOME", "TMPDIR", "XDG_CACHE_HOME", *WRITES.values()})
    if named:
        return Check(name, None, f"{text} {', '.join(named)} must lead there; values are not kept.", "hint")
    unknown = "" if shape.packages is not None else f" Which libraries write elsewhere is {NOT_READ}."
    return Check(name, None, f"{text} Nothing seen from outside writes elsewhere.{unknown}", "hint")


def _could_be_zip(shape: AppShape) -> Check:
    name = "Could it be a zip"
    if reason := _why_an_image(shape):
        return Check(name, None, f"No: {reason}", "hint")
    if shape.files is None or shape.own_bytes is None:
        return Check(name, None, f"Perhaps: it stands on {shape.base} unchanged. Its own size is {NOT_READ}.", "hint")
    text = f"Yes: it adds {_size(shape.own_bytes)} to {shape.base} (a zip may have 250 MB) and changes no OS package."
    return Check(name, None, f"{text} AWS patches the runtime of a zip by itself.", "hint")


def _why_an_image(shape: AppShape) -> str:
    """What an image is needed for; '' where nothing is known."""
    if shape.runtime not in MANAGED:
        return "it does not stand on a base of a managed runtime."
    if only := next((name for name in CONTAINER_ONLY if _is_release_of(shape.base, name)), ""):
        return f"{only} is there for images only; Lambda never had a zip runtime for it."
    if shape.ended:
        return f"Lambda takes no new zip for the runtime of {shape.base}, which is past its end of life."
    if shape.between:
        return f"it stands on {shape.between}, which holds more than the runtime."
    custom = [part for part in shape.config.entrypoint if part != LAMBDA_ENTRYPOINT]
    if custom:
        return f"its entry point is its own ({' '.join(custom)[:80]})."
    if shape.files is not None and shape.files.os_packages_written:
        return "it installs packages of the operating system."
    if shape.files is not None and shape.files.elsewhere:
        return f"it has files outside of /var/task and /opt, such as /{shape.files.elsewhere[0]}."
    size = max(shape.own_bytes or 0, shape.own_compressed)  # compressed, it can only be smaller
    if size > ZIP_LIMIT:
        return f"its own files are {_size(size)}; a zip may have 250 MB unzipped."
    return ""


def _is_release_of(base: str, name: str) -> bool:
    """Whether a base as people write it (`dotnet:9.2026.01.01.10`, `dotnet:9 of 2026-01-01`) is one of this name."""
    return base.startswith(name) and not base[len(name) : len(name) + 1].isdigit()


def _size(size_bytes: int) -> str:
    if size_bytes < 1024**2:
        return f"{size_bytes / 1024:,.0f} KB"
    return f"{size_bytes / 1024**2:,.1f} MB"
