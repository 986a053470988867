"""The help of ICU reviewers."""

from __future__ import annotations

from typing import Final

from crs_app.accounts.models import Role
from crs_app.help.page import HelpPage, Task

REVIEWER: Final = HelpPage(
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
