"""Stand-ins for parts of Django and Python that save time in a request.

All of them are off with CRS_PLAIN_DJANGO=1 (``settings.PLAIN_DJANGO``); to turn one off for good,
delete its line in ``crs_app/settings.py`` (for the garbage collector: in ``crs_app/wsgi.py``) and
its module. Nothing else names them. No data change, except that a session names the backend that
signed its user in: turning ``user_backend`` on or off signs everybody out.

=================  =======================================================  ==================
module             replaces                                                 saves a request
=================  =======================================================  ==================
sessions           ``django.contrib.sessions.backends.db``                  0.2 ms, 3 to 4 %
user_backend       ``ModelBackend.get_user``; user_rows has the columns    0.2 ms, 3 %
course_reader      ``patients.queries.courses.read_course_by_orm``          0.6 ms, 9 %
postgresql         the statement of ``CONN_HEALTH_CHECKS``                  a round trip
form_fields        ``copy.deepcopy`` of the fields of a form class          0.2 ms, 3 %
rendered_parts     rendering a row, an item or a reason again on each page  a page: see below
garbage_collector  Python's thresholds (700, 10, 10); no freeze             4 to 8 %
=================  =======================================================  ==================

How it was measured: in one process, with and without in turn, on two cores that other work shared;
processor time, because waiting for the processor hides all of these. Medians of 210 saves and 210
bedside pages each, of a course of 1,000 entries; the same against itself differed by up to 0.1 ms.
A save took 4.3 to 8 ms and a page 6.3 to 10 ms, by how busy the machine was. The milliseconds of
the table are of 1,500 calls of the function alone (its fastest tenth).

* sessions: save +0.67 ms (9 %), page +0.57 ms (8 %) without it; the call alone 0.10 ms for 0.28.
  Verifying the signature once for its text: 0.06 ms more. The row of the user in the same
  statement: 1 to 3 % of a save, measured later.
* user_backend: save +0.45 ms (5 %), page +0.90 ms (9 %); the call alone 0.06 ms for 0.22.
* course_reader: save +0.79 ms (9 %), page +1.17 ms (11 %); the call alone 0.17 ms for 0.73.
* postgresql: within noise here, 0.001 ms for 0.02 on a local socket. It stays for what this cannot
  show: with a database on another machine it is one round trip less in each request.
  It also lets psycopg keep the parsed form of a statement of up to 8,192 characters (its own limit
  is 4,096, and the one that reads the history of grades has 5,700): 0.06 ms a save.
  Times in UTC are read by Python's own parser, 1.5 µs for 9 each: twelve in a save.
* form_fields: 0.10 ms for 0.37 for the form of vital signs, in a save.
* garbage_collector: its thresholds are within noise for a save and a page; grading 10,000 entries
  from scratch, 98,000 entries a second for 80,500. Freezing what is loaded saves 4 to 8 % of a
  save, measured on a machine that did nothing else.
* rendered_parts: a page +1.4 ms (15 %), a save within noise.
* All but course_reader and rendered_parts together: save +1.06 ms (20 %), page +0.86 ms (11 %).

What breaks first when Django is upgraded:

* sessions overrides ``SessionStore.load``, and sets the private ``_session_key`` as that does
  for a session that is gone.
* user_backend takes the row that the same thread read with the session, once, and only where the
  session names that user; ``django.contrib.auth.get_user`` reads the session before it asks.
* user_rows makes a ``User`` from the columns of its own table. It does not notice a user model
  of several tables, or a ``get_user`` of Django that verifies more (two-factor sign-in).
* course_reader converts columns by ``from_db_value``, and makes models by ``rows``, as user_rows
  does: that sets what ``Model.from_db`` sets, and does not call ``Model.__init__`` of the model.
* postgresql reads a timestamptz by a loader of its own; Django asks it for ``timezone``.
* form_fields copies the attributes that ``Field.__deepcopy__``, ``ChoiceField.__deepcopy__``,
  ``Widget.__deepcopy__`` and ``ChoiceWidget.__deepcopy__`` copy; a class with a method of its own
  is copied by that.
* postgresql sets a constant of ``psycopg._queries``, which is private: under another name psycopg
  parses the long statement again at each execution, as it does without.
* postgresql relies on Django asking ``is_usable`` once a request where CONN_HEALTH_CHECKS is set.

``tests/project/test_speedups.py`` compares each with what it replaces, and fails on another minor
version of Django than REVIEWED_DJANGO: go through this list, then change that.

Caches
------
Kept in a process beyond one request; everything else is computed for each request. None holds a
grade, a card or a page.

===============================================  =====  =======================================
function                                         size   cannot be stale, because
===============================================  =====  =======================================
patients.queries.entries._parse                  4,096  the key is every column of the entry
patients.queries.timeline.parse_timeline_entry   2,048  the key is the whole text parsed
patients.queries.policies._policy                64     the key is every value of the policy
crs_app.speedups.sessions._signed_json           1,024  the key is the signed text and the key
                                                        that signs it; a session that is gone is
                                                        not found in the table
crs_app.speedups.sessions._user_ids              1,024  only which row to read with a session; it
                                                        counts where the session names that user
crs_app.speedups.rendered_parts._render          2,048  the key is all it prints, with day, zone
                                                        and language
patients.queries.timeline._statement             4      SQL text, by two flags
patients.queries.courses._reader                 1      a function, by its name in the settings
crs_app.templating._static                       256    files are hashed before the start
crs_app.templating._address                      1,024  routes, with a place for each id
patients.display.site_times._from_utc            4,096  the key is a time in UTC and the zone
patients.display.text.keep_units                 4,096  the key is the text
grading.engine: units, laboratory, vasopressors         pure functions of their arguments
===============================================  =====  =======================================

Without it a page takes longer: the first by 0.3 ms (5 %), the second by 0.4 (5 %), the third by 0.3
(4 %), the fourth by 1.4 (15 %).
"""

from typing import Final

REVIEWED_DJANGO: Final = (5, 2)
"""The minor version of Django whose classes these have been compared with."""
