"""The application as a web server calls it."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.template import engines

from crs_app.database import ensure_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crs_app.settings")
ensure_server()
application = get_wsgi_application()
engines.all()  # compiles the templates
# What is loaded now lives as long as the process: no later collection need look through it.
gc.collect()
gc.freeze()
# A request leaves little behind in cycles; to look for that often costs more than it frees.
gc.set_threshold(10_000, 20, 20)
