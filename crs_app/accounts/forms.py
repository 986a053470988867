"""Forms that ask for a password: to sign in, to change it, and once more before what matters."""

from __future__ import annotations

from typing import Any, Final, cast

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.http import HttpRequest

from crs_app.accounts.own_sessions import has_fresh_password, note_password
from crs_app.accounts.verify import verified_user

WRONG_PASSWORD: Final = "This is not your password."  # noqa: S105 - a sentence


class SignInForm(AuthenticationForm):
    """Django's form, whose password is verified at the throttled door."""

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
        self.user_cache = verified_user(request, username, password)
        if self.user_cache is None:
            raise self.get_invalid_login_error()
        self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # not generic when it runs
    """A new password, typed twice."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _say_plainly(self)


class ChangePasswordForm(PasswordChangeForm):
    """A new password, for who knows the present one."""

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
    """A form that asks for the user's own password where it was not entered a short time ago."""

    def __init__(self, request: Any, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.request = request
        if not has_fresh_password(request):
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
        return self.cleaned_data
