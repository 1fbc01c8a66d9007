"""The marks that AWS's Lambda bases leave in an image's settings: all that is left of a base in a squashed image."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence

ENTRYPOINT = "/lambda-entrypoint.sh"
TASK_ROOT, RUNTIME_DIRECTORY = "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"
WORKING_DIRECTORY = "/var/task"
HISTORY_LIMIT = 200  # steps
STEP_LIMIT = 2000  # characters
_RUNTIME = re.compile(
    r"(?<![\w.-])(python|nodejs|node|java|dotnet|ruby)[:/@-]?v?(\d{1,2}(?:\.\d{1,2})?)(?:\.\d+)*(?!\w)", re.IGNORECASE
)
_KEYS = {"DOTNET_VERSION": "dotnet", "PYTHON_VERSION": "python", "NODE_VERSION": "nodejs", "RUBY_VERSION": "ruby",
         "JAVA_VERSION": "java", "JAVA_HOME": "java", "GEM_HOME": "ruby"}  # fmt: skip
_NAMES = {"node": "nodejs"}


def lambda_marks(entrypoint: Sequence[str], env_keys: Collection[str], working_directory: str) -> tuple[str, ...]:
    """Which marks of a Lambda base an image carries, in words; none unless one is there that others do not leave.

    `/lambda-entrypoint.sh` and the two variables together are AWS's; the working directory alone is anybody's.
    """
    marks = []
    if entrypoint and entrypoint[0] == ENTRYPOINT:
        marks.append(f"it starts {ENTRYPOINT}")
    if {TASK_ROOT, RUNTIME_DIRECTORY} <= set(env_keys):
        marks.append(f"it sets {TASK_ROOT} and {RUNTIME_DIRECTORY}")
    if marks and working_directory.rstrip("/") == WORKING_DIRECTORY:
        marks.append(f"it works in {WORKING_DIRECTORY}")
    return tuple(marks)


def guess_runtime(steps: Sequence[str], env_keys: Collection[str], command: Sequence[str] = ()) -> str:
    """The runtime that build steps or settings speak of, such as "python 3.12" or "java"; "" for none, or several."""
    versions = defaultdict(set)
    for text in (*steps[:HISTORY_LIMIT], *command):
        for runtime, version in _RUNTIME.findall(text[:STEP_LIMIT]):
            versions[_NAMES.get(runtime.lower(), runtime.lower())].add(version)
    runtimes = set(versions) or {_KEYS[key] for key in env_keys if key in _KEYS}
    if len(runtimes) != 1:
        return ""
    (runtime,) = runtimes
    # python3 runs whatever python3.12 is.
    found = [one for one in versions[runtime] if not any(other.startswith(f"{one}.") for other in versions[runtime])]
    return f"{runtime} {found[0]}" if len(found) == 1 else runtime
