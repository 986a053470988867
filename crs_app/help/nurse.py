"""The help of nurses and ward doctors."""

from __future__ import annotations

from typing import Final

from crs_app.accounts.models import Role
from crs_app.help.page import HelpPage, Task

NURSE: Final = HelpPage(
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
                "Is ICE due? Press *ICE and consciousness* under *More*, ask in the words of the "
                "page and press *Right* or *Wrong*; a child has *CAPD* by its sum. Then say how "
                "awake the patient is, press what else is present, and *Save round*.",
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
                "Without a connection go on in the open form and press *Save*. The entry is kept "
                "on the tablet with its time. Do not type it again.",
                "*Not graded* on top of the page counts what is *unsent*: the grade is without it. "
                "It is sent by itself when the connection is back.",
                "*Refused* says why an entry was not accepted: *Open in the form*, correct it and "
                "save, or *Discard* it.",
                "After an hour, or when the connection is back, the page may ask you to sign in "
                "again. What you saved is still there.",
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
