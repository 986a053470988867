"""The floor's one page."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

from bench.floor.models import Note


def write(request: HttpRequest) -> HttpResponse:
    """Store a line; answer with a fragment of 2 kB."""
    with transaction.atomic():
        note = Note(text=request.POST["text"], written_at=timezone.now(), written_by=request.user)
        note.save(force_insert=True)
    return render(request, "floor/written.html", {"note": note})


urlpatterns = [path("notes/", write)]
