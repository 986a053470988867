"""Sign-in and sign-out, one-time links, and the page of one's own account."""

from django.urls import path

from crs_app.accounts import own_views, switch_views
from crs_app.accounts.factors import own_views as factor_views
from crs_app.accounts.factors.sign_in_views import PasskeySignIn, second_step
from crs_app.accounts.hospital import views as hospital_views
from crs_app.accounts.views import SignIn, SignOut, active

app_name = "accounts"

urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="sign_in"),
    path("sign-in/second-step/", second_step, name="second_step"),
    path("sign-in/passkey/", PasskeySignIn.as_view(), name="passkey_sign_in"),
    path("sign-out/", SignOut.as_view(), name="sign_out"),
    path("hospital/", hospital_views.there, name="hospital"),
    path("hospital/return/", hospital_views.back, name="hospital_return"),
    path("switch/", switch_views.switch, name="switch"),
    path("pin/", switch_views.pin, name="pin"),
    path("active/", active, name="active"),
    path("start/<str:secret>/", own_views.start, name="start"),
    path("me/", own_views.me, name="me"),
    path("me/password/", own_views.change_password, name="password"),
    path("me/second-factor/", factor_views.second_factor, name="second_factor"),
    path("me/code-app/", factor_views.code_app, name="code_app"),
    path("me/code-app/remove/", factor_views.remove_code_app, name="remove_code_app"),
    path("me/recovery-codes/", factor_views.recovery_codes, name="recovery_codes"),
    path("me/keys/new/", factor_views.new_key, name="new_key"),
    path("me/keys/<int:pk>/name/", factor_views.rename_key, name="rename_key"),
    path("me/keys/<int:pk>/remove/", factor_views.remove_key, name="remove_key"),
    path("me/sessions/end-others/", own_views.end_others, name="end_others"),
    path("me/sessions/<str:code>/end/", own_views.end_one, name="end_one"),
]
