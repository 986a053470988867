"""Sign-in and sign-out, one-time links, and the page of one's own account."""

from django.urls import path

from crs_app.accounts import own_views
from crs_app.accounts.hospital import views as hospital_views
from crs_app.accounts.views import SignIn, SignOut, active

app_name = "accounts"

urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="sign_in"),
    path("sign-out/", SignOut.as_view(), name="sign_out"),
    path("hospital/", hospital_views.there, name="hospital"),
    path("hospital/return/", hospital_views.back, name="hospital_return"),
    path("active/", active, name="active"),
    path("start/<str:secret>/", own_views.start, name="start"),
    path("me/", own_views.me, name="me"),
    path("me/password/", own_views.change_password, name="password"),
    path("me/sessions/end-others/", own_views.end_others, name="end_others"),
    path("me/sessions/<str:code>/end/", own_views.end_one, name="end_one"),
]
