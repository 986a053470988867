"""Words of the inbox: why something that another system sent is not on the chart."""

from __future__ import annotations

from typing import Final, NamedTuple


class WhyHeld(NamedTuple):
    """Why an item is not charted: ``short`` is one clause, ``more`` says what follows from it."""

    short: str
    more: str = ""


WHY_HELD: Final = {
    "unvalidated": WhyHeld("A person has to confirm these values."),
    "value.unusual": WhyHeld("An unusual value.", "Look at the patient before you save it."),
    "value.impossible": WhyHeld(
        "This value is not possible.", "It is outside of what a form would take."
    ),
    "value.ambiguous": WhyHeld(
        "It is not clear what this number means.",
        "An FiO2 can be sent as 0.4 or as 40 %, and this can be either, or a flow.",
    ),
    "value.missing": WhyHeld("No value was sent."),
    "value.not_numeric": WhyHeld("This is no number.", "Nothing is read out of text."),
    "comparator": WhyHeld(
        "“At least” and “at most” cannot be charted.", "The chart has only < and >."
    ),
    "code.unknown": WhyHeld(
        "The code is not known here.", "An administrator can say what it means, for all of them."
    ),
    "code.conflict": WhyHeld("Its codes contradict each other."),
    "code.unit_conflict": WhyHeld(
        "Code and unit contradict each other.",
        "The code is that of another quantity: mass and moles, for example.",
    ),
    "unit.missing": WhyHeld("No unit was sent."),
    "unit.unknown": WhyHeld("The unit is not known for this code."),
    "duplicate.conflict": WhyHeld(
        "Two different values of one thing at one time.", "Nothing says which of them holds."
    ),
    "duplicate.method": WhyHeld(
        "A cuff and an arterial line differ at this time.", "The arterial pressure is charted."
    ),
    "time.missing": WhyHeld("No time was sent."),
    "time.partial": WhyHeld("Only a day was sent, no time."),
    "time.period": WhyHeld("A span of time was sent, no single time."),
    "time.future": WhyHeld("Its time was ahead of the clock."),
    "time.ambiguous": WhyHeld(
        "This hour occurs twice or not at all.", "The clocks were changed in that night."
    ),
    "status.preliminary": WhyHeld(
        "A preliminary result.", "The final one is charted when it comes."
    ),
    "status.missing": WhyHeld("It does not say whether the result is final."),
    "conflict.corrected": WhyHeld(
        "A person corrected this entry before.", "What that person charted stays until you choose."
    ),
    "conflict.same_minute": WhyHeld(
        "A person charted another value in this minute.", "That value stays until you choose."
    ),
    "oxygen.no_device": WhyHeld("Flow or FiO2 came without a device."),
    "oxygen.contradiction": WhyHeld("More than 21 % oxygen on room air contradicts itself."),
    "infusion.no_end": WhyHeld(
        "The infusion is over, and no end was sent.",
        "The charted rate stays until a person enters when it stopped.",
    ),
    "infusion.change_untimed": WhyHeld(
        "The rate was changed, and no time was sent.", "The rate charted before stays."
    ),
    "infusion.overlap": WhyHeld(
        "Two infusions of this drug overlap.",
        "The drug is charted as running, dose not known: adding them would be a guess.",
    ),
    "infusion.push_dose": WhyHeld("A single dose, not a rate.", "The chart has rates alone."),
    "infusion.concentration_missing": WhyHeld(
        "No concentration was sent.", "The drug is charted as running, dose not known."
    ),
    "rate.missing": WhyHeld("No rate was sent.", "The drug is charted as running, dose not known."),
    "rate.inexact": WhyHeld(
        "The rate cannot be written exactly.", "The drug is charted as running, dose not known."
    ),
    "entry.contradiction": WhyHeld(
        "The coded value and the charted text that came with it differ.", "Neither is charted."
    ),
    "patient.unknown": WhyHeld(
        "Nobody here has this number.",
        "Nothing of it is charted. Compare name and number before you correct or admit anybody.",
    ),
    "course.none": WhyHeld(
        "The patient has no open course.", "Nobody is admitted by another system."
    ),
    "patient.contradiction": WhyHeld(
        "The patient may be another one than that of the chart.",
        "Look whether name, birth date, number or monitor are those of somebody else.",
    ),
    "invalid": WhyHeld("The message breaks the rules of its format."),
}
"""By the reason words of the exchange."""

_OTHER: Final = WhyHeld("It could not be read.")


def why_held(reason: str) -> WhyHeld:
    """Return the words for a reason; a word that has none yet is shown as it is."""
    found = WHY_HELD.get(reason)
    return found if found is not None else _OTHER._replace(more=reason)
