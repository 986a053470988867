"""One table to insert into."""

from django.conf import settings
from django.db import models


class Note(models.Model):
    """A line that somebody wrote."""

    text = models.CharField(max_length=200)
    written_at = models.DateTimeField()
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)

    def __str__(self) -> str:
        return self.text
