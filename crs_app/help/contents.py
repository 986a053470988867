"""What the help pages say: for each role its tasks, in the order in which they come up.

A word between asterisks is written on the pages exactly so. The pictures are taken by
``tests/browser/test_help_pictures.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from crs_app.accounts.models import Role


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that a role does: ``steps`` in order, and a picture of the page that does it.

    ``picture`` is the name of a file in ``static/crs/help``, ``shows`` says what is on it. A word
    between two asterisks is written on the page exactly so.
    """

    title: str
    steps: Sequence[str]
    picture: str = ""
    shows: str = ""


@dataclass(frozen=True, slots=True)
class HelpPage:
    """The help of one role; ``key`` is its name in the address, ``first`` one sentence to begin."""

    key: str
    role: str
    name: str
    first: str
    tasks: Sequence[Task]


_NURSE: Final = HelpPage(
    key="nurse",
    role=Role.WARD_CLINICIAN,
    name="Nurse or ward doctor",
    first=(
        "You enter what you see at the bed. After each save the page shows the CRS grade, why it "
        "is that grade, and what is advised. You decide what is done."
    ),
    tasks=[
        Task(
            "Sign in, and leave the tablet",
            [
                "Type your name and your password and press *Sign in*. With a passkey press "
                "*Use a passkey* instead; a button of your hospital's own sign-in does as well.",
                "Where a *second step* is asked for, enter the code of your app, or press "
                "*Use your key*. You set it up under your name, at *Sign-in methods*.",
                "Press *Sign out* when you leave. After ten minutes without a touch the page locks "
                "by itself; what you typed is kept.",
                "You share the tablet? Tick *Then set a PIN* when you sign in. *Switch user*, your "
                "name and four digits bring you back.",
                "Never enter values under the name of somebody else: each entry has its author.",
            ],
        ),
        Task(
            "Find your patient",
            [
                "The board shows the patients of your wards, the highest grade first, and what is "
                "late or open for each of them.",
                "Type a name, a record number or a bed into *Search*.",
                "Compare name, birth date and record number with the wristband.",
            ],
            "board",
            "The board: one line for each patient, with grade, bed and what is next.",
        ),
        Task(
            "Admit a patient",
            [
                "On the board press *Admit a patient*.",
                "Enter name, record number, birth date, product and the time of the infusion.",
                "Enter the weight: doses by weight are converted with it.",
                "Read the page once more and press *Admit*.",
            ],
            "admit",
            "The form that admits a patient.",
        ),
        Task(
            "Chart vital signs",
            [
                "The form *Vitals* is open. Type what you measured; leave empty what you did not.",
                "The time is *now*. For an earlier time press *−15 minutes* or type it.",
                "Press *Save*. The page says what was saved and what the grade is now.",
                "A question in yellow asks whether a value is right: look again, change it, or "
                "confirm it.",
            ],
            "vitals",
            "The form for vital signs on a tablet.",
        ),
        Task(
            "Chart oxygen, drugs, fluids and results",
            [
                "Press *Oxygen*, *Vasopressor*, *Fluid bolus* or *Labs*; the other forms are under "
                "*More*.",
                "Enter oxygen and vasopressors again whenever they change, and when they stop.",
                "Was nothing changed? Tick *unchanged* when you chart the next vital signs.",
            ],
            "oxygen",
            "The form for oxygen: device, flow or FiO2.",
        ),
        Task(
            "Read the grade",
            [
                "The large number is the grade now. *could be 3* says: with a value that is "
                "missing, it could be grade 3.",
                "The lines beside it say why, with the time and the author of each value.",
                "*still correct?* marks a value that is old: measure again.",
                "The countdown says when the grade changes without a new entry.",
                "*not assessed* is not grade 0: temperature, blood pressure or oxygen is missing.",
            ],
            "grade",
            "The grade card: the grade, why, and what comes next.",
        ),
        Task(
            "Answer the advice",
            [
                "*Treatment advice* is what the paper advises at this grade. It is not an order.",
                "Press *Done*, *Not now* or *Not appropriate*. *Not appropriate* asks for the "
                "reason.",
                "A drug that was given is charted with its dose and its time.",
            ],
            "advice",
            "Treatment advice with its answers.",
        ),
        Task(
            "Correct a mistake",
            [
                "Find the entry in the timeline and press *⋯*.",
                "*Correct* changes the value; *Entered in error* takes it out of the grade.",
                "*Move to another patient…* moves an entry that belongs to somebody else.",
                "What you typed first stays visible. Nothing is deleted.",
            ],
            "correct",
            "The form that corrects an entry.",
        ),
        Task(
            "When you could not measure, or have no connection",
            [
                "Press *Asleep*, *Refused* or *Off ward* below the form: the chart then says why "
                "there are no values.",
                "Without a connection the page says so. What you typed stays on the tablet; press "
                "*Send now* when the connection is back. It is saved with the time of the first "
                "try.",
            ],
            "not-observed",
            "The reasons why nothing was observed, below the form.",
        ),
        Task(
            "Move the patient, or end the course",
            [
                "Press the bed at the top of the page.",
                "Choose the new ward and bed, or why the course ends, and save.",
                "For the handover open *Review*, press *Handover* and print it: one page.",
                "A course that was ended by mistake can be reopened on the same page.",
            ],
            "move",
            "The page that moves a patient or ends a course.",
        ),
    ],
)

_REVIEWER: Final = HelpPage(
    key="reviewer",
    role=Role.ICU_REVIEWER,
    name="ICU reviewer",
    first=(
        "You read how the grade went, look at what it rests on, and sign it or state another one. "
        "You can also do all that a nurse does."
    ),
    tasks=[
        Task(
            "See what waits for you",
            [
                "Press *Waiting for review* at the top of the page.",
                "Each line is a time with one grade that nobody signed, or that changed after "
                "the signature. Press it.",
            ],
            "waiting",
            "The list of what waits for review.",
        ),
        Task(
            "Read the course",
            [
                "Press *Review*. All plots have the same time; nights are grey.",
                "The coloured band is the grade. Hatched above it: the grade that it could be.",
                "Each criterion has its own line, from its start to its end.",
                "Drag over a plot, or pinch, to look closer. *24 h*, *72 h* and *All* go back.",
            ],
            "review",
            "The review page: grade, criteria and values over time.",
        ),
        Task(
            "Ask why, at any time",
            [
                "Press a time in the plots, or move with the arrow keys.",
                "The panel on the right says the grade at that time, why, and what was not known.",
                "*All evidence* shows every value behind it, and which rules were not met.",
            ],
            "instant",
            "All evidence of one moment.",
        ),
        Task(
            "Read the numbers as a table",
            [
                "Press *Table*, or the key t.",
                "Each row is a moment at which something changed, with the numbers of the plots.",
            ],
            "table",
            "The same values as a table.",
        ),
        Task(
            "Use the flowsheet",
            [
                "Press *Flowsheet*. Times are columns, signs and drugs are rows.",
                "*1 h*, *4 h* and *12 h* show the worst value of each column, and a count.",
                "Press a cell to see each entry with its author. L is late, C corrected, O another "
                "cause.",
            ],
            "flowsheet",
            "The flowsheet of one day.",
        ),
        Task(
            "See what was known at an earlier time",
            [
                "Press *As known at…* and choose a date and time.",
                "The whole page is then as it was known at that moment: late entries and "
                "corrections that came afterwards are left out.",
                "The page has a border and no forms. *Now* leads back.",
            ],
            "known-at",
            "The page as it was known in the past, with its border.",
        ),
        Task(
            "Sign the grade",
            [
                "Look at the time and at the reasons in *Sign the grade*.",
                "*Agree* signs the computed grade.",
                "*Another grade…* states yours, with a reason. The computed grade stays visible.",
                "If a later entry raises the grade, the sign-off *needs a new look*.",
            ],
            "sign-off",
            "The panel that signs a grade.",
        ),
        Task(
            "See what changed since your last look",
            [
                "Press *Mark as seen* when you have read a course.",
                "At your next visit the page lists what was charted, corrected and changed since.",
            ],
            "seen",
            "The line that says what changed since you looked.",
        ),
        Task(
            "Open a patient of another ward",
            [
                "Reading needs no reason. To enter values, the page asks for one.",
                "The access lasts four hours. Administrators and auditors see it at once.",
            ],
        ),
        Task(
            "Print, and compare with others",
            [
                "*Paper* prints the whole course, *Handover* one page. The patient and the time "
                "stand on each page.",
                "*Summary* has the answers that registries ask for; *Export* makes files.",
                "*Disagreements*, below the list of what waits, counts where reviewers stated "
                "another grade, by criterion.",
            ],
        ),
    ],
)

_ADMINISTRATOR: Final = HelpPage(
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

PAGES: Final[Mapping[str, HelpPage]] = {
    page.key: page for page in (_NURSE, _REVIEWER, _ADMINISTRATOR)
}
"""The help pages by the name in their address."""


def page_of_role(role: str) -> HelpPage:
    """Return the help of a role; that of the nurse for a role without a page of its own."""
    return next((page for page in PAGES.values() if page.role == role), _NURSE)
