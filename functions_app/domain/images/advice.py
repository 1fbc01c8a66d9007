"""What could be better about an image that Lambda takes, and what is worth knowing: each with its reason.

Nothing here stops a deployment. What only a reading of the layers can tell is left open until they were read.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from functions_app.domain.images.app_files import AppFiles
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.images.manifests import HistoryEntry, ImageConfig

ZIP_LIMIT = 250 * 1024**2  # bytes unzipped, of code and layers together
MANAGED = ("python", "nodejs", "java", "dotnet", "ruby", "provided")
LAMBDA_ENTRYPOINT = "/lambda-entrypoint.sh"
SHM = "/dev/shm"  # noqa: S108 - a name to look for
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
_INSTALL = re.compile(
    r"\b(?:pip3?\s+(?:--\S+\s+)*install|uv\s+(?:sync|pip\s+install)|poetry\s+install|pipenv\s+(?:install|sync)|"
    r"npm\s+(?:ci|install|i)\b|yarn\s+install|pnpm\s+(?:install|i)\b|bundle\s+install|composer\s+install|"
    r"go\s+mod\s+download|dotnet\s+restore|mvn\s|gradle\w*\s|cargo\s+(?:build|fetch)|"
    r"(?:micro)?dnf\s+(?:-\S+\s+)*install|yum\s+(?:-\S+\s+)*install|apt-get\s+(?:-\S+\s+)*install|apk\s+add)"
)
_COPY = re.compile(r"(?:^|#\(nop\)\s+)(?:COPY|ADD)\s+(.*)", re.DOTALL)
_MANIFEST = re.compile(
    r"(?:^|/)(?:requirements[\w.-]*|constraints[\w.-]*|pyproject\.toml|setup\.(?:py|cfg)|poetry\.lock|uv\.lock|Pipfile(?:\.lock)?|"
    r"package(?:-lock)?\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|\.npmrc|Gemfile(?:\.lock)?|[\w.*-]*\.gemspec|"
    r"go\.(?:mod|sum)|pom\.xml|[\w.-]*\.gradle(?:\.kts)?|gradle\.properties|[\w.*-]*\.csproj|[\w.*-]*\.sln|NuGet\.config|"
    r"Cargo\.(?:toml|lock)|composer\.(?:json|lock))$"
)  # fmt: skip
_WRITE_TO = re.compile(
    r"(?:^|[=\s>])(/(?!tmp(?:/|$)|dev/(?:null|stdout|stderr)|proc/)[\w./-]*(?:log|cache|tmp|run|data)[\w./-]*)"
)


@dataclass(frozen=True)
class AppShape:
    """What advice looks at. None: not known. Sizes in bytes.

    `base` is the release it stands on as people write it, `runtime` that of the AWS base beneath it (`python`),
    `between` a base of one's own between that and the app, `ended` whether it is past its end of life. `base_layers`
    of its layers belong to any base; the others are the app's own: `own_compressed`, `own_bytes` (uncompressed),
    `files`. `packages` are names in lower case.
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
    brought = shape.runtime in MANAGED and shape.runtime != "provided"
    if brought and (LAMBDA_ENTRYPOINT in shape.start or _CLIENT.search(start)):
        return Check(name, True, f"{shape.base} brings it, and its entry point starts it.", "advice")
    if found := _CLIENT.search(start):
        return Check(name, True, f"Its entry point starts {found[0]}.", "advice")
    if shape.packages is not None and (known := {"awslambdaric", "aws-lambda-ric"} & set(shape.packages)):
        return Check(name, True, f"The package {min(known)} is in it.", "advice")
    if shape.files is not None:
        if shape.files.web_adapter:
            return Check(name, True, "The Lambda Web Adapter takes its place.", "advice")
        if shape.files.runtime_clients:
            return Check(name, True, f"Found: /{shape.files.runtime_clients[0]}.", "advice")
    if LAMBDA_ENTRYPOINT in shape.start:
        return Check(name, True, f"It starts {LAMBDA_ENTRYPOINT}, which AWS's bases start it by.", "advice")
    if shape.files is None:
        return Check(name, None, f"Its entry point names none; more is {NOT_READ}.", "advice")
    if shape.start and _INTERPRETER.search(shape.start[0]):
        return Check(
            name, False, f"Not found, and {shape.start[0]} has none of its own: Lambda would wait in vain.", "advice"
        )
    return Check(
        name, None, "Not found. A program in Go, Rust or C++ has it compiled in, which can't be seen.", "advice"
    )


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
    code = ""
    for step in steps:
        if code and _INSTALL.search(step.created_by):
            text = f"“{_brief(code)}” comes before “{_brief(step.created_by)}”: each change of the code installs anew."
            return Check(name, False, f"{text} Copy the list of dependencies, install, then copy the code.", "advice")
        if _copies_code(step.created_by):
            code = step.created_by
    if not any(_INSTALL.search(step.created_by) for step in steps):
        return Check(name, True, "No step installs dependencies: there is nothing to put before the code.", "advice")
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


def _copies_code(created_by: str) -> bool:
    match = _COPY.search(created_by)
    if match is None or "--from=" in created_by:
        return False
    words = [word for word in match[1].split(" # buildkit")[0].split() if not word.startswith("--")]
    if len(words) >= 2 and words[-2] == "in":  # the classic builder: file:HASH in /target, dir:HASH in /target
        return words[0].startswith("dir:")
    sources = words[:-1]
    return bool(sources) and not all(_MANIFEST.search(source.strip('[]",')) for source in sources)


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


def _size(size_bytes: int) -> str:
    if size_bytes < 1024**2:
        return f"{size_bytes / 1024:,.0f} KB"
    return f"{size_bytes / 1024**2:,.1f} MB"
