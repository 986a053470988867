"""The WSGI application that a web server loads."""

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import Error, connection
from django.template import engines
from django.urls import reverse

from crs_app.bounded_waits import waits
from crs_app.database_roles import check_web_role
from crs_app.local_postgres import DatabaseServerError, ensure_server
from crs_app.metrics.counts import workers_started
from crs_app.outages import is_outage
from crs_app.request_limits import BoundedRequests
from crs_app.speedups.garbage_collector import collect_garbage_less_often

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crs_app.settings")
waits.are_bounded = True
# A database that is not there yet never ends a worker: requests are answered with 503 until it is.
try:
    ensure_server()
except DatabaseServerError:
    logging.getLogger("crs_app.wsgi").exception("The local PostgreSQL is not there")
application = BoundedRequests(get_wsgi_application())
engines.all()  # compiles the templates
reverse("livez")  # imports every view: else the first request of a process does, in a second
try:
    check_web_role()
except Error as error:
    if not is_outage(error):
        raise
connection.close()
if not settings.PLAIN_DJANGO:
    collect_garbage_less_often()
workers_started.inc()
