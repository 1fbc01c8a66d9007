"""What uvicorn serves: live streams as raw ASGI, and Django's pages through WSGI in a few threads.

Pages are faster that way than through Django's ASGI handler, and a stream costs neither a thread nor a connection.
What waits for AWS has threads of its own (plan_threads).
"""

import gc
import os
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from dashboard.request_limits import Application as Door
from dashboard.request_limits import Intake

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
wsgi = cast(Any, get_wsgi_application())

from dashboard import urls  # noqa: E402, F401 - Django is set up by now; the first request need not wait for the views
from dashboard.plan_threads import PlanThreads  # noqa: E402
from functions_app.streams.application import Application, Django  # noqa: E402


def served(threads: int) -> WSGIMiddleware:
    """Django in so many threads."""
    # The queue holds a whole static file or 512 pages of a log: a client that reads slowly keeps no thread waiting.
    return WSGIMiddleware(wsgi, workers=threads, send_queue_size=512)


pages, plans = served(settings.ENV.web_threads), served(settings.ENV.plan_threads)
django = PlanThreads(cast(Door, pages), cast(Door, plans), settings.ENV.plan_threads)
application = Application(cast(Django, Intake(django)))
# What is loaded by now stays for good. Looking through it all for garbage held everything up, for 90 ms at a time.
gc.collect()
gc.freeze()
