"""The page that shows an error to whoever develops (DRYDOCK_DEBUG): without logins, passwords and tokens.

Django hides settings by their names alone, and in DEBUG nothing else: not what was typed, not the variables of frames.
"""

from pprint import pformat
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from functions_app.domain.redaction import redact

SHOWN = 4096  # characters of a value, as Django has it


class Told:
    """A value as it may be shown."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class SafeFilter(SafeExceptionReporterFilter):
    """Hides what is secret by its name or its shape, in every value that the page shows."""

    def is_active(self, request: HttpRequest | None) -> bool:
        """In DEBUG as well."""
        return True

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        """Django's hook for settings and headers: by name, then by shape, within lists and mappings too."""
        return self._told(super().cleanse_setting(key, value))

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        """What was typed."""
        return {} if request is None else {key: self.cleanse_setting(key, value) for key, value in request.POST.items()}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> Any:
        """The variables of a frame."""
        found = super().get_traceback_frame_variables(request, tb_frame)
        return [(name, Told(redact(pformat(self.cleanse_setting(name, value))[:SHOWN]))) for name, value in found]

    def _told(self, value: Any) -> Any:
        if isinstance(value, str):
            return redact(value[:SHOWN])
        if isinstance(value, list | tuple | dict | int | float | None):
            return value  # within lists and mappings each was asked for itself
        return Told(redact(pformat(value)[:SHOWN]))


class SafeReporter(ExceptionReporter):
    """What an error says of itself may hold what its caller was given."""

    def get_traceback_data(self) -> dict[str, Any]:
        """Django's hook: what its templates show."""
        data: dict[str, Any] = super().get_traceback_data()
        for name in ("exception_value", "exception_notes"):
            if name in data:
                data[name] = redact(str(data[name]))
        for frame in data.get("frames", ()):
            frame["exc_cause"] = frame["exc_cause"] and redact(str(frame["exc_cause"]))
        if self.request is not None:
            data["request_GET_items"] = [
                (name, self.filter.cleanse_setting(name, value)) for name, value in self.request.GET.items()
            ]
            data["request_insecure_uri"] = redact(str(data.get("request_insecure_uri", "")))
        return data
