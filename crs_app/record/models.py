"""Tables of the record: events in hash chains, and the head of each chain.

The database writes both, by its function ``record_write``; see the first migration.
"""

from __future__ import annotations

from typing import ClassVar, Final
from uuid import UUID

from django.conf import settings
from django.db import models

MAIN_CHAIN: Final = UUID(int=0)
"""The chain of every event that belongs to no course."""


class EventKind(models.TextChoices):
    """What happened."""

    VIEW = "view", "Opened"
    SEARCH = "search", "Searched"
    EXPORT = "export", "Downloaded"
    PRINT = "print", "Printed"
    REFUSED = "refused", "Was refused"
    SIGN_IN = "sign_in", "Signed in"
    SIGN_IN_FAILED = "sign_in_failed", "Sign-in failed"
    SIGNED_OUT = "signed_out", "Signed out"
    PASSWORD_CHANGED = "password_changed", "Password changed"
    SIGN_IN_METHODS_CHANGED = "sign_in_methods_changed", "Sign-in methods changed"
    USER_CREATED = "user_created", "User created"
    USER_CHANGED = "user_changed", "User changed"
    USER_UNLOCKED = "user_unlocked", "User unlocked"
    ROLE_CHANGED = "role_changed", "Role changed"
    WARDS_CHANGED = "wards_changed", "Wards changed"
    WALL_STARTED = "wall_started", "Wall screen started"
    WALL_ENDED = "wall_ended", "Wall screen ended"
    POLICY_CHANGED = "policy_changed", "Policy changed"
    EMERGENCY_ACCESS = "emergency_access", "Emergency access"
    RECORD_READ = "record_read", "Read the record"
    IDENTITY = "identity", "Identity changed"
    TOKEN_ISSUED = "token_issued", "Token issued to a system"
    TOKEN_REFUSED = "token_refused", "Token refused"
    SYSTEM_READ = "system_read", "Read by a system"
    SYSTEM_WRITE = "system_write", "Sent by a system"
    SYSTEM_REFUSED = "system_refused", "System refused"
    SYSTEM_REGISTERED = "system_registered", "System registered"
    SYSTEM_CHANGED = "system_changed", "System changed"
    LAUNCH_CHANGED = "launch_changed", "Launch from a health record changed"
    LAUNCHED = "launched", "Launched from a health record"
    LAUNCH_REFUSED = "launch_refused", "Launch refused"
    CHAIN_STARTED = "chain_started", "First event of a patient"
    SECOND_MACHINE = "second_machine", "Second machine taken out or put back"
    RECORD_STARTED = "record_started", "Record started"
    RECORD_VERIFIED = "record_verified", "Record verified"


class Event(models.Model):
    """One row of the record; ``hash`` covers it and the row before it in its chain.

    Name and role of the user are those of the time of the event.
    """

    pk = models.CompositePrimaryKey("chain", "number", "at")
    chain = models.UUIDField()
    number = models.BigIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)  # an EventKind
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, db_index=False
    )
    by_name = models.TextField()
    by_role = models.TextField()
    address = models.TextField()
    course_id = models.UUIDField(null=True)
    purpose = models.TextField()
    details = models.JSONField()
    hash = models.BinaryField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("by", "-at"), name="record_event_of_user"),
            models.Index(fields=("-at",), name="record_event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} of chain {self.chain}"


class Chain(models.Model):
    """The head of one chain: number, time and hash of its last event."""

    chain = models.UUIDField(primary_key=True)
    number = models.BigIntegerField()
    at = models.DateTimeField()
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"chain {self.chain}, {self.number} events"
