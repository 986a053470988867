"""Sign-in and sign-out."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from crs_app.accounts.views import SignIn, active

app_name = "accounts"

urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("active/", active, name="active"),
]
