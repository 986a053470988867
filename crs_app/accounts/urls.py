"""Sign-in and sign-out."""

from django.contrib.auth import views
from django.urls import path

from crs_app.accounts.forms import SignInForm

app_name = "accounts"

urlpatterns = [
    path(
        "sign-in/",
        views.LoginView.as_view(
            authentication_form=SignInForm,
            template_name="accounts/sign_in.html",
            redirect_authenticated_user=True,
        ),
        name="sign_in",
    ),
    path("sign-out/", views.LogoutView.as_view(), name="sign_out"),
]
