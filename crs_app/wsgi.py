"""The WSGI application that a web server loads."""

import os
from contextlib import suppress

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, connection
from django.template import engines

from crs_app.database_roles import check_web_role
from crs_app.local_postgres import ensure_server
from crs_app.request_limits import BoundedRequests
from crs_app.speedups.garbage_collector import collect_garbage_less_often

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crs_app.settings")
ensure_server()
application = BoundedRequests(get_wsgi_application())
engines.all()  # compiles the templates
with suppress(OperationalError):  # a database that is not there yet: /health/ shows it
    check_web_role()
connection.close()
if not settings.PLAIN_DJANGO:
    collect_garbage_less_often()
