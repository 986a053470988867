"""Demonstration users, for the local database only."""

import os
import secrets

from django.conf import settings

from crs_app.accounts.links import LETTERS
from crs_app.accounts.models import Role, User
from crs_app.accounts.wards import let_work_everywhere

PEOPLE = (
    ("nurse", "Jo", "Ruiz", Role.WARD_CLINICIAN),
    ("icu", "Amara", "Osei", Role.ICU_REVIEWER),
    ("admin", "Lin", "Berg", Role.ADMINISTRATOR),
)
SIGN_INS = settings.VAR_DIR / "demo-sign-ins.txt"
# Without letters and digits that look alike: a password is read on one screen, typed on another.


def create_demo_users() -> str:
    """Create the demonstration users; existing ones keep the password that `SIGN_INS` has.

    Returns the sign-ins, one a line, as written to `SIGN_INS`, which only its owner can read.
    """
    kept = _kept_passwords()
    lines = []
    for username, first_name, last_name, role in PEOPLE:
        names = {"first_name": first_name, "last_name": last_name, "role": role}
        user, is_new = User.objects.get_or_create(username=username, defaults=names)
        if is_new:
            let_work_everywhere(user)
        password = kept.get(username)
        if password is None or not user.check_password(password):
            password = _readable_password()
            user.set_password(password)
            user.save(update_fields=["password"])
        lines.append(f"  {username:<8}{password:<18}{role.label}\n")
    text = "".join(lines)
    _keep(text)
    return text


def where_sign_ins_are() -> str:
    """Return a sentence that names the file: a password printed to a file could be read by all."""
    return f"The demonstration sign-ins are in {SIGN_INS}, which only you can read."


def _readable_password() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def _kept_passwords() -> dict[str, str]:
    if not SIGN_INS.exists():
        return {}
    return {words[0]: words[1] for words in map(str.split, SIGN_INS.read_text().splitlines())}


def _keep(text: str) -> None:
    SIGN_INS.parent.mkdir(exist_ok=True)
    descriptor = os.open(SIGN_INS, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
