"""The help of administrators."""

from __future__ import annotations

from typing import Final

from crs_app.accounts.models import Role
from crs_app.help.page import HelpPage, Task

ADMINISTRATOR: Final = HelpPage(
    key="administrator",
    role=Role.ADMINISTRATOR,
    name="Administrator",
    first=(
        "You decide who may sign in and what they may do. You do not see charts and cannot enter "
        "values; each thing you do is recorded with your name."
    ),
    tasks=[
        Task(
            "Add a user",
            [
                "Press *Users*, then *New user*.",
                "Enter the name, the role and the wards.",
                "Give the link to the person. It works once, and for a short time; the person sets "
                "the password.",
            ],
            "users",
            "The list of users.",
        ),
        Task(
            "Somebody forgot the password, or lost the telephone",
            [
                "Open the user and press *Reset by link…*.",
                "Is the telephone or key for the second step gone? Press *Remove second factors…*.",
                "Make sure that you know who asks. The old password ends when the new one is set.",
            ],
            "user",
            "The page of one user.",
        ),
        Task(
            "Somebody must wait after wrong passwords",
            [
                "After five wrong passwords each try waits, longer each time.",
                "Open the user and press *Let in now*. Ask first whether it was really that "
                "person.",
            ],
        ),
        Task(
            "Change a role or the wards",
            [
                "Open the user and press *Change role…* or *Change wards…*.",
                "It holds from the next page that the user opens. You cannot raise your own "
                "rights.",
            ],
            "roles",
            "Roles: who may do what.",
        ),
        Task(
            "Somebody leaves, or a tablet is lost",
            [
                "*Sign out everywhere* ends every session of that user at once.",
                "*Deactivate* ends the right to sign in. The name stays with all entries. Nobody "
                "is "
                "deleted.",
            ],
        ),
        Task(
            "Add a ward",
            [
                "Press *Wards* and enter the name as the hospital writes it.",
                "Then give the ward to the users who work there.",
            ],
            "wards",
            "The wards, with their users.",
        ),
        Task(
            "Two records of one patient",
            [
                "*Find a patient* searches by name or record number. You see who it is, never the "
                "chart.",
                "Join the two records: choose the one that is right, and read what changes before "
                "you "
                "confirm. It can be undone.",
            ],
            "find",
            "Find a patient, without the chart.",
        ),
        Task(
            "Look at emergency access",
            [
                "*Emergency access* lists who opened a patient of another ward, when and why.",
                "Mark each as checked, or ask the person.",
            ],
            "emergency",
            "Emergency access with its reasons.",
        ),
        Task(
            "Who looked at a patient, and what did a person do",
            [
                "*Who looked* has every view, search, print, export and sign-in, with time and "
                "user.",
                "Choose a person or a patient. Your own reading is recorded too.",
            ],
            "record",
            "The record of who did what.",
        ),
        Task(
            "Change the policy of the site",
            [
                "*Site policy* has the limits that a hospital may choose, such as the age from "
                "which "
                "a value is old.",
                "Read what would change in the grades of the patients before you confirm. The old "
                "policy stays for the time in which it held.",
            ],
            "policy",
            "The policy of the site.",
        ),
    ],
)
