"""What uvicorn serves: live streams as raw ASGI, and Django's pages through WSGI in a few threads.

Pages are faster that way than through Django's ASGI handler, and a stream costs neither a thread nor a connection.
"""

import os
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django = WSGIMiddleware(cast(Any, get_wsgi_application()), workers=settings.ENV.web_threads)

from functions_app.web.streams import Application, Django  # noqa: E402 - Django is set up by now

application = Application(cast(Django, django))
