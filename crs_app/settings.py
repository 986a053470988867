"""Settings with safe defaults; what a site may change is read here from the environment."""

import hmac
import os
import secrets
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from crs_app.database_url import django_database, keeper_database, owner_database
from crs_app.hospital_sign_in import hospital_sign_in
from crs_app.log_server import log_server
from crs_app.logs import AS_JSON, REQUESTS, TO_STDERR
from crs_app.silent_database import BOUNDS

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
# Where backup and verification leave when they ended last; /readyz reads it.
OPERATIONS_DIR = Path(os.environ.get("CRS_OPERATIONS_DIR") or VAR_DIR / "operations")


def _flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


def _number(name: str, default: int, *, at_most: int) -> int:
    """Return the number of a setting; raise ValueError for another, so that nothing starts."""
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= at_most):
        raise ValueError(f"{name} is {text!r}: give a whole number from 1 to {at_most}.")
    return int(text)


def _words(name: str, default: str) -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def _secret(name: str) -> str | None:
    """Return a secret of the environment, or of the file that ``<name>_FILE`` names."""
    if secret := os.environ.get(name):
        return secret
    file = os.environ.get(f"{name}_FILE")
    return Path(file).read_text("utf-8").strip() if file else None


def _metrics_token() -> str:
    """Return the token of who may read /metrics, "" for nobody.

    :raises ValueError: for one that is short enough to be guessed, so that nothing starts.
    """
    token = _secret("CRS_METRICS_TOKEN") or ""
    if token and len(token) < 20:
        raise ValueError("CRS_METRICS_TOKEN has fewer than 20 characters.")
    return token


def _file(name: str) -> str:
    """Return the file that the environment names, "" for none.

    :raises FileNotFoundError: for one that is not there, so that nothing starts.
    """
    file = os.environ.get(name, "")
    if file and not Path(file).is_file():
        raise FileNotFoundError(f"{name} names {file}, which is no file.")
    return file


def _secret_key() -> str:
    """Return the configured key, or one made once and stored for its owner alone."""
    if key := _secret("CRS_SECRET_KEY"):
        return key
    VAR_DIR.mkdir(exist_ok=True)
    kept = VAR_DIR / "secret-key"
    if not kept.exists():
        # Linked into place when complete: two processes that start together read the same key.
        fresh = VAR_DIR / f"secret-key.{os.getpid()}"
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            kept.hardlink_to(fresh)
        fresh.unlink()
    return kept.read_text()


def _time_zone() -> str:
    """Return the configured zone, else the machine's, else UTC.

    :raises zoneinfo.ZoneInfoNotFoundError: for a misspelt one, so that nothing starts.
    """
    if zone := os.environ.get("CRS_TIME_ZONE"):
        return ZoneInfo(zone).key
    with suppress(OSError, ValueError):
        _, marker, zone = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")
        if marker:
            return ZoneInfo(zone).key.removeprefix("Etc/")
    return "UTC"


DEBUG = _flag("CRS_DEBUG")
HTTPS = _flag("CRS_HTTPS")  # a proxy ends TLS and sets X-Forwarded-Proto itself
# Addresses or networks from which X-Forwarded-Proto is believed, where CRS_HTTPS is on.
TRUSTED_PROXIES = _words("CRS_TRUSTED_PROXIES", "127.0.0.0/8,::1/128")
# Their X-Forwarded-For, the address of the browser, is believed where one is set up.
BEHIND_PROXY = HTTPS or "CRS_TRUSTED_PROXIES" in os.environ
# Whether a form may name a new ward, as on the local database. Elsewhere administrators add them.
NEW_WARDS = _flag("CRS_NEW_WARDS") or not os.environ.get("DATABASE_URL")
SITE_NAME = os.environ.get("CRS_SITE_NAME", "CRS bedside")
SECRET_KEY = _secret_key()
# Hashes the ids and shifts the days of de-identified exports. Without one it is made of SECRET_KEY.
EXPORT_KEY = (
    _secret("CRS_EXPORT_KEY")
    or hmac.digest(SECRET_KEY.encode(), b"crs de-identified exports", "sha256").hex()
)
# Whoever sends it may read /metrics; without one nobody may.
METRICS_TOKEN = _metrics_token()
# The identifier system of the record numbers, in exports as FHIR.
MRN_SYSTEM = os.environ.get("CRS_MRN_SYSTEM", "urn:crs:mrn")
ALLOWED_HOSTS = _words("CRS_ALLOWED_HOSTS", "localhost,127.0.0.1")
# Origins (https://ehr.hospital.example) whose pages may call CDS Hooks from a browser.
CDS_HOOKS_ORIGINS = _words("CRS_CDS_HOOKS_ORIGINS", "")
# Roles whose users need a second factor. Demonstration users of the local database need none.
_EVERY_ROLE = "ward_clinician,icu_reviewer,auditor,administrator"
SECOND_FACTOR_ROLES = frozenset(
    _words("CRS_SECOND_FACTOR_ROLES", _EVERY_ROLE if os.environ.get("DATABASE_URL") else "")
)
# A tablet on a ward is shared: who walks away neither reads nor writes any more. The page of a
# patient then shows the grade and its clock alone, until the session ends.
SIGNED_OUT_AFTER_IDLE = timedelta(minutes=_number("CRS_IDLE_MINUTES", 10, at_most=720))
SIGNED_OUT_AFTER = timedelta(hours=12)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "crispy_forms",
    "crispy_bootstrap5",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "crs_app.apps.ProjectConfig",
    "crs_app.accounts",
    "crs_app.record",
    "patients",
]

MIDDLEWARE = [
    "crs_app.answered.number_requests",
    "crs_app.security_headers.protect_pages",
    "crs_app.proxies.trust_named_proxies",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "crs_app.error_pages.explain_errors",
    "crs_app.bounded_waits.keep_a_thread_free",
    "crs_app.launched_pages.framed_pages",
    "crs_app.stored_sessions.StoredSessions",
    "crs_app.launched_pages.LaunchedSession",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "crs_app.accounts.middleware.SignInRequired",
    "crs_app.accounts.factors.middleware.SecondFactorRequired",
    "crs_app.searches.SealedSearches",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "crs_app.record.middleware.record_openings",
    "crs_app.record.downloads.DownloadLimit",
    "crs_app.replica.note_saves",
]

ROOT_URLCONF = "crs_app.urls"
WSGI_APPLICATION = "crs_app.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "environment": "crs_app.templating.environment",
            "context_processors": [
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crs_app.templating.site",
            ],
        },
    },
    # The templates that come with libraries: crispy's fields of the pages of accounts.
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    },
]
CRISPY_TEMPLATE_PACK = "crs"  # templates/crs
CRISPY_ALLOWED_TEMPLATE_PACKS = ("bootstrap5", "crs")
CRISPY_FAIL_SILENTLY = False

DATABASES = {
    "default": django_database(os.environ.get("DATABASE_URL"))
    | {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
}
# The role that owns the tables; only `manage.py migrate` connects with it.
OWNER_DATABASE = owner_database(
    os.environ.get("DATABASE_URL"), os.environ.get("CRS_OWNER_DATABASE_URL")
)
# Passwords that no address holds: a file is read by the process alone, an address by who lists it.
if web_password := _secret("CRS_WEB_PASSWORD"):
    DATABASES["default"]["PASSWORD"] = web_password
if OWNER_DATABASE is not None and (owner_password := _secret("CRS_OWNER_PASSWORD")):
    OWNER_DATABASE["PASSWORD"] = owner_password
# The role that makes and renames databases; only `manage.py restore` and `drill` connect with it.
KEEPER_DATABASE = keeper_database(
    os.environ.get("DATABASE_URL"), os.environ.get("CRS_KEEPER_DATABASE_URL")
)
if KEEPER_DATABASE is not None and (keeper_password := _secret("CRS_KEEPER_PASSWORD")):
    KEEPER_DATABASE["PASSWORD"] = keeper_password
# The standby that confirms each save, as PostgreSQL's synchronous_standby_names has it; "" where
# the site has none. What a save waits for is read from the server: `manage.py standby`.
SYNCHRONOUS_STANDBY = os.environ.get("CRS_SYNCHRONOUS_STANDBY", "").strip()
# A statement is planned once for a connection, not again for every request.
# Not behind a pooler in transaction mode, where the next statement can meet another session:
# PgBouncer keeps prepared statements from 1.22 on, and cursors of the server never.
POOLER = os.environ.get("CRS_POOLER", "").strip().lower()
if POOLER not in ("", "transaction"):
    raise ValueError("CRS_POOLER is empty or: transaction")
_PLANNED_ONCE = {"server_side_binding": True, "prepare_threshold": None if POOLER else 2}
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = bool(POOLER)
DATABASES["default"]["OPTIONS"] = {**_PLANNED_ONCE, **BOUNDS, **DATABASES["default"]["OPTIONS"]}
# A standby that board, wall and lists of courses may be read from; a page that is old says so.
if replica_url := os.environ.get("CRS_REPLICA_DATABASE_URL"):
    DATABASES["replica"] = DATABASES["default"] | django_database(
        replica_url, name="CRS_REPLICA_DATABASE_URL"
    )
    if web_password:
        DATABASES["replica"]["PASSWORD"] = web_password
    DATABASES["replica"] |= {
        "OPTIONS": {
            **_PLANNED_ONCE,
            **BOUNDS,
            "connect_timeout": 2,
            **DATABASES["replica"]["OPTIONS"],
        },
        "TEST": {"MIRROR": "default"},
    }
# Another machine that gets every event of the record: `manage.py send_record`.
LOG_SERVER = log_server(
    os.environ.get("CRS_LOG_SERVER", "").strip(), _file("CRS_LOG_SERVER_AUTHORITIES")
)
# Where backups go.
BACKUPS_DIR = Path(os.environ.get("CRS_BACKUPS_DIR") or VAR_DIR / "backups")
BACKUPS_KEPT_DAYS = _number("CRS_BACKUPS_KEPT_DAYS", 35, at_most=36_500)
# Shared by all processes: a one-time code that one of them took is refused by the others.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "shared_cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
FORM_RENDERER = "django.forms.renderers.Jinja2"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = LOGIN_URL
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    # Of passwords set before; each becomes Argon2 at its next sign-in.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
] + [
    {
        "NAME": "crs_app.accounts.passwords.NoWordOfTheHospital",
        "OPTIONS": {"words": [*SITE_NAME.split(), *_words("CRS_PASSWORD_WORDS", "")]},
    },
    {
        "NAME": "crs_app.accounts.passwords.NotStolen",
        "OPTIONS": {"file": _file("CRS_STOLEN_PASSWORDS")},
    },
]

# Second factors and passkeys: models and functions of django-allauth behind our own pages. None of
# its pages has an address, and nobody signs up.
ACCOUNT_ADAPTER = "crs_app.accounts.factors.adapters.NobodySignsUp"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_ADAPTER = "crs_app.accounts.hospital.provider.HospitalSocialAdapter"
# Sign-in at the hospital's own provider; None, and no button, where the site names none.
HOSPITAL_SIGN_IN = hospital_sign_in(os.environ, _secret("CRS_OIDC_CLIENT_SECRET"))
MFA_ADAPTER = "crs_app.accounts.factors.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # one step of 30 s: clocks of telephones are not exact

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = _time_zone()
DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
FORMAT_MODULE_PATH = "crs_app.formats"

WHITENOISE_ALLOW_ALL_ORIGINS = False
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
_NODE_MODULES = BASE_DIR / "node_modules"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("vendor/bootstrap", _NODE_MODULES / "bootstrap" / "dist"),
    ("vendor/uplot", _NODE_MODULES / "uplot" / "dist"),
    ("vendor/idb-keyval", _NODE_MODULES / "idb-keyval" / "dist"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "crs_app.static_files.HashedStaticFiles"
    },
}

# crs_app.request_limits refuses larger bodies before Django sees them, and every file. The largest
# form, with every text at its limit, has about 100 kB and 200 fields.
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 0
FILE_UPLOAD_HANDLERS: list[str] = []

CSRF_FAILURE_VIEW = "crs_app.error_pages.csrf_failure"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    # Browsers take these names from this host alone, over TLS, for all of its paths.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
# Names a shared tablet to those who signed in on it, who may switch to each other.
TABLET_COOKIE_NAME = "__Host-crs-tablet" if HTTPS else "crs-tablet"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = int(SIGNED_OUT_AFTER.total_seconds())
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_AGE = None  # until the browser is closed
# A message can name a value of a patient: it must end with the session of its reader.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/$", r"^livez$", r"^metrics$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
# The preload list of the browsers is a decision about a hospital's whole domain, hard to undo.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

# Stand-ins for parts of Django; CRS_PLAIN_DJANGO=1 runs Django's own instead.
PLAIN_DJANGO = _flag("CRS_PLAIN_DJANGO")
COURSE_READER = None if PLAIN_DJANGO else "crs_app.speedups.course_reader.read_course"
PART_RENDERER = None if PLAIN_DJANGO else "crs_app.speedups.rendered_parts.render_part"
FIELD_COPIER = "copy.deepcopy" if PLAIN_DJANGO else "crs_app.speedups.form_fields.copy_fields"
for database in DATABASES.values():
    database["ENGINE"] = "crs_app.confirmed_commit"
if not PLAIN_DJANGO:
    for database in DATABASES.values():
        database["ENGINE"] = "crs_app.speedups.postgresql"
    AUTHENTICATION_BACKENDS = ["crs_app.speedups.user_backend.FastUserBackend"]
    SESSION_ENGINE = "crs_app.speedups.sessions"

LOGGING = TO_STDERR | {
    "loggers": {
        # Its own handlers e-mail, or print exceptions whole.
        "crs_app.accounts": {"handlers": [], "level": "INFO", "propagate": True},
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        REQUESTS: {"handlers": [], "level": "INFO" if AS_JSON else "WARNING", "propagate": True},
    },
}
