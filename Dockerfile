FROM python:3.13-slim AS front-end
WORKDIR /app
COPY requirements-node.lock package.json package-lock.json .npmrc ./
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements-node.lock \
 && pip check \
 && npm ci --omit=dev

FROM python:3.13-slim
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=crs_app.settings
WORKDIR /app
# A new volume takes the owner of the folder that it is mounted on.
RUN useradd --system --uid 10001 --user-group crs \
 && install --directory --owner crs --group crs --mode 700 /backups /operations
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock \
 && pip check
COPY manage.py ./
COPY grading grading
COPY patients patients
COPY crs_app crs_app
COPY templates templates
COPY static static
COPY --from=front-end /app/node_modules node_modules
# The key of this one command signs nothing that is kept.
RUN CRS_SECRET_KEY=collectstatic python manage.py collectstatic --noinput --verbosity 0
USER crs
EXPOSE 8000
# Ready: 503 while the database is away, starting or not migrated. The process itself: /livez.
HEALTHCHECK --interval=30s --timeout=8s --start-period=20s CMD ["python", "-c", \
  "import urllib.request as r; r.urlopen(r.Request('http://127.0.0.1:8000/readyz', headers={'Host': 'localhost'}))"]
CMD ["gunicorn", "crs_app.wsgi", "--config", "python:crs_app.gunicorn_config", "--bind", "0.0.0.0:8000"]
