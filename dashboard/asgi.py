"""What uvicorn serves: live streams as raw ASGI, and Django's pages through WSGI in a few threads.

Pages are faster that way than through Django's ASGI handler, and a stream costs neither a thread nor a connection.
What waits for AWS, and sign-ins, have threads of their own (plan_threads).
"""

import os
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from dashboard import database_patience
from dashboard.request_limits import Application as Door
from dashboard.request_limits import Intake

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
wsgi = cast(Any, get_wsgi_application())
database_patience.shorten(settings.DATABASES["default"])

from dashboard import urls  # noqa: E402, F401 - Django is set up by now; the first request need not wait for the views
from dashboard.garbage import spare_loaded  # noqa: E402
from dashboard.plan_threads import PlanThreads  # noqa: E402
from functions_app.domain import limits  # noqa: E402
from functions_app.streams.application import Application, Django  # noqa: E402
from functions_app.streams.large_bodies import LargeBodies  # noqa: E402
from functions_app.web.people.sign_in import hashes_a_password  # noqa: E402


def served(threads: int) -> WSGIMiddleware:
    """Django in so many threads."""
    # The queue holds a whole static file: a client that reads slowly keeps no thread waiting.
    return WSGIMiddleware(wsgi, workers=threads, send_queue_size=512)


pages = cast(Door, served(settings.ENV.web_threads))
plans = PlanThreads(pages, cast(Door, served(settings.ENV.plan_threads)), settings.ENV.plan_threads)
# Hashing a password takes a core for a third of a second: one at a time, however many are tried at once.
sign_ins = PlanThreads(plans, cast(Door, served(1)), 1, hashes_a_password, limits.SIGN_INS_IN_LINE)
large = LargeBodies()
application = Application(cast(Django, Intake(sign_ins, large.may_come)))
spare_loaded()
