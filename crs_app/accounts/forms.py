"""Forms that ask for a password: to sign in, to change it, and once more before what matters."""

from __future__ import annotations

from typing import Any, Final, cast

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.http import HttpRequest
from django.utils import timezone

from crs_app.accounts.factors.code_field import WRONG_CODE, CodeField
from crs_app.accounts.factors.codes import is_right_code
from crs_app.accounts.own_sessions import has_fresh_password, note_password
from crs_app.accounts.throttle import HeldError
from crs_app.accounts.verify import HELD, verified_user

WRONG_PASSWORD: Final = "This is not your password."  # noqa: S105 - a sentence


class SignInForm(AuthenticationForm):
    """Django's form, whose password is verified at the throttled door.

    Where the password has to wait, because others failed before, a right code of the user's second
    factor lets it be verified at once.
    """

    code = CodeField(
        label="Code of your app, or a recovery code",
        required=False,
        help_text="With it you need not wait, if you have set one up.",
    )
    has_right_code = False

    error_messages = {  # noqa: RUF012 - Django declares it on the instance
        **AuthenticationForm.error_messages,
        "invalid_login": "Username and password do not match. Both are case-sensitive.",
    }

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        password = self.cleaned_data.get("password")
        if username is None or not password:
            return self.cleaned_data
        request = cast(HttpRequest, self.request)
        try:
            self.user_cache = verified_user(request, username, password)
        except forms.ValidationError as refused:
            code = self.cleaned_data.get("code")
            if refused.code != HELD or not code:
                raise
            self._verify_code(request, username, code, refused)
            self.user_cache = verified_user(request, username, password, is_let_through=True)
        if self.user_cache is None:
            raise self.get_invalid_login_error()
        self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data

    def _verify_code(
        self, request: HttpRequest, username: str, code: str, refused: forms.ValidationError
    ) -> None:
        """Note a right code; refuse as before with a wrong one, alike for every name."""
        try:
            self.has_right_code = is_right_code(request, username, code, timezone.now())
        except HeldError:
            raise refused from None
        if not self.has_right_code:
            self.add_error("code", WRONG_CODE)
            raise refused


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # not generic when it runs
    """A new password, typed twice."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say_plainly(self)


class ChangePasswordForm(PasswordChangeForm):
    """A new password, for a user who knows the present one."""

    def __init__(self, request: Any, *args: Any, **options: Any) -> None:
        super().__init__(request.user, *args, **options)
        self.request = request
        self.fields["old_password"].label = "Present password"
        _say_plainly(self)

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        if verified_user(self.request, self.user.username, password) is None:
            raise forms.ValidationError(WRONG_PASSWORD)
        return password


def _say_plainly(form: forms.Form) -> None:
    """Say in one sentence what a new password must be, as AUTH_PASSWORD_VALIDATORS asks."""
    form.fields["new_password1"].help_text = (
        "At least 12 characters; not only digits, no common password, not like your name, "
        "no word of this hospital."
    )
    again = form.fields["new_password2"]
    again.label, again.help_text = "New password, once more", ""


class ConfirmedForm(forms.Form):
    """A form that asks for the user's own password where it was not entered a short time ago.

    A user without one signs in once more, at the hospital, in another tab: what is typed stays.
    """

    asks_sign_in = False

    def __init__(self, request: Any, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.request = request
        if has_fresh_password(request):
            return
        self.asks_sign_in = not request.user.has_usable_password()
        if not self.asks_sign_in:
            self.fields["your_password"] = forms.CharField(
                label="Your own password",
                strip=False,
                widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
                help_text="Asked again, because you did not enter it in the last 15 minutes.",
            )

    def clean_your_password(self) -> str:
        password: str = self.cleaned_data["your_password"]
        if verified_user(self.request, self.request.user.username, password) is None:
            raise forms.ValidationError(WRONG_PASSWORD)
        note_password(self.request)
        return password

    def clean(self) -> dict[str, Any]:
        """Ask for the password once only, also where another field has to be corrected."""
        if "your_password" in self.cleaned_data:
            del self.fields["your_password"]
        if self.asks_sign_in:
            raise forms.ValidationError("Sign in at the hospital once more, then go on here.")
        return self.cleaned_data
