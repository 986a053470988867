"""Figures for those who watch the site, in the form that Prometheus reads.

``counts`` counts in each process, ``shared`` adds up the processes of a web server, ``answers``
says what of an answer is counted, ``gauges`` looks at database and files, ``views`` is /metrics.
"""
