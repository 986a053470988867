"""Terms of the heart."""

from __future__ import annotations

from typing import Final

from grading.engine.ctcae.words import NOT_IN_CTCAE, TermWords

CARDIAC: Final = {
    "heart_failure": TermWords(
        "no symptoms; only a laboratory value or an image of the heart is abnormal",
        "symptoms with mild to moderate exertion",
        "severe: symptoms at rest or with minimal exertion; treatment needed",
        "life-threatening; for example continuous IV therapy or mechanical support",
        also="cardiac failure CHF heart",
    ),
    "left_ventricular_systolic_dysfunction": TermWords(
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        "symptoms from the fall in ejection fraction; responds to treatment",
        "refractory or poorly controlled; pressors, assist device or transplant needed",
        also="LV dysfunction cardiomyopathy stress cardiomyopathy Takotsubo heart pump",
    ),
    "supraventricular_tachycardia": TermWords(
        "no symptoms, no treatment needed",
        "treatment needed, not urgently",
        "medical treatment needed",
        "life-threatening; urgent treatment needed",
        also="SVT fast heart palpitations arrhythmia rhythm",
    ),
    "atrial_fibrillation": TermWords(
        "no symptoms, no treatment needed",
        "treatment needed, not urgently",
        "symptoms, incompletely controlled by drugs, or by a device or ablation",
        "life-threatening; urgent treatment needed",
        also="AF afib irregular pulse palpitations arrhythmia rhythm",
    ),
    "ventricular_arrhythmia": TermWords(
        "no symptoms, no treatment needed",
        "treatment needed, not urgently",
        "medical treatment needed",
        "life-threatening: the circulation is compromised; urgent treatment needed",
        also="VT ventricular tachycardia extrasystoles rhythm",
    ),
    "ventricular_fibrillation": TermWords(
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        "any: life-threatening; urgent treatment needed",
        also="VF arrhythmia rhythm",
    ),
    "cardiac_arrest": TermWords(
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        "any: life-threatening; urgent treatment needed",
        also="asystole resuscitation CPR heart stopped",
    ),
    "qtc_prolonged": TermWords(
        "QTc 450 to 480 ms",
        "QTc 481 to 500 ms",
        "QTc 501 ms or more on at least two separate ECGs",
        "501 ms or more, or a rise of over 60 ms, with torsade, polymorphic VT or serious signs",
        also="QT ECG EKG torsade",
    ),
    "troponin_increased": TermWords(
        "above the upper limit, below the maker's level for a heart attack",
        NOT_IN_CTCAE,
        "at or above the maker's level for a heart attack",
        NOT_IN_CTCAE,
        also="troponin I T cardiac enzymes heart muscle",
    ),
}
