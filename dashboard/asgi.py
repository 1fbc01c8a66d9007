"""What uvicorn serves: live streams as raw ASGI, and Django's pages through WSGI in a few threads.

Pages are faster that way than through Django's ASGI handler, and a stream costs neither a thread nor a connection.
"""

import os
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from dashboard.request_limits import Intake

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
# The queue holds a whole static file or 512 pages of a log: a client that reads slowly keeps no thread waiting.
pages = WSGIMiddleware(cast(Any, get_wsgi_application()), workers=settings.ENV.web_threads, send_queue_size=512)

from functions_app.streams.application import Application, Django  # noqa: E402 - Django is set up by now

application = Application(cast(Django, Intake(cast(Any, pages))))
