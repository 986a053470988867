"""Terms of kidneys, lungs, blood, liver, skin and gut.

Hospital admission is a criterion of some grades; it does not apply where the stay was planned.
"""

from __future__ import annotations

from typing import Final

from grading.engine.ctcae.words import NOT_IN_CTCAE, TermWords

OTHER_ORGANS: Final = {
    "acute_kidney_injury": TermWords(
        "creatinine more than 0.3 mg/dL (26.5 µmol/L) above the baseline, or 1.5 to 2 times it",
        "creatinine above 2 and up to 3 times the baseline",
        "creatinine above 3 times the baseline, or above 4.0 mg/dL (353.6 µmol/L)",
        "life-threatening; dialysis needed",
        also="AKI kidney failure renal failure dialysis creatinine",
    ),
    "urine_output_decreased": TermWords(
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        "oliguria: less than 80 mL in 8 h",
        "anuria: less than 240 mL in 24 h",
        also="oliguria anuria passing little water kidney renal",
    ),
    "ards": TermWords(
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        "seen on imaging; intubation not needed",
        "life-threatening: intubation or urgent treatment needed",
        also="acute adult respiratory distress syndrome lung",
    ),
    "pulmonary_edema": TermWords(
        "seen on imaging only, or breathless only with exertion",
        "moderate: breathless with exertion; treatment needed",
        "severe: breathless at rest; oxygen needed",
        "life-threatening: intubation or ventilator needed",
        also="oedema fluid on the lungs water lung",
    ),
    "pleural_effusion": TermWords(
        "no symptoms, no treatment needed",
        "symptoms; diuretics or one or two drainages needed",
        "symptoms with respiratory distress and low oxygen; chest tube or surgery needed",
        "life-threatening: the circulation is compromised, or intubation needed",
        also="fluid around the lung chest",
    ),
    "disseminated_intravascular_coagulation": TermWords(
        NOT_IN_CTCAE,
        "laboratory findings without bleeding",
        "laboratory findings with bleeding",
        "life-threatening; urgent treatment needed",
        also="DIC clotting coagulation",
    ),
    "hemorrhage": TermWords(
        "mild bleeding; no treatment needed",
        "moderate bleeding; treatment or a minor procedure needed",
        "transfusion, endoscopy, radiology or surgery needed",
        "life-threatening; urgent treatment needed",
        also="bleeding haemorrhage blood loss",
    ),
    "hepatic_failure": TermWords(
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        "flapping tremor (asterixis) or mild hepatic encephalopathy",
        "moderate to severe hepatic encephalopathy, or coma",
        also="liver failure",
    ),
    "ck_increased": TermWords(
        "above the upper limit, up to 2.5 times it",
        "above 2.5 and up to 5 times the upper limit",
        "above 5 and up to 10 times the upper limit",
        "above 10 times the upper limit",
        also="creatine kinase CPK muscle rhabdomyolysis",
    ),
    "capillary_leak_syndrome": TermWords(
        NOT_IN_CTCAE,
        "symptoms; medical treatment needed",
        "severe symptoms; treatment needed",
        "life-threatening; urgent treatment needed",
        also="swelling edema oedema leak",
    ),
    "multi_organ_failure": TermWords(
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        "shock with raised nitrogen waste in the blood and acid-base disturbance",
        "life-threatening: for example dependent on pressors and without urine",
        also="MOF MODS",
    ),
    "hemophagocytic_lymphohistiocytosis": TermWords(
        "no term of its own in CTCAE v4.03; mild, no treatment needed",
        "no term of its own; moderate, limited treatment needed",
        "no term of its own; severe, not immediately life-threatening",
        "no term of its own; life-threatening, urgent treatment needed",
        also="HLH MAS macrophage activation syndrome haemophagocytic ferritin",
    ),
    "rash": TermWords(
        "covers less than 10 % of the body surface",
        "covers 10 to 30 % of the body surface, or limits instrumental daily activities",
        "covers more than 30 % of the body surface, or limits self-care",
        NOT_IN_CTCAE,
        also="skin maculo-papular red spots exanthema",
    ),
    "nausea": TermWords(
        "less appetite, eats as usual",
        "eats less, without weight loss or dehydration",
        "does not eat or drink enough; tube feeding or parenteral nutrition needed",
        NOT_IN_CTCAE,
        also="feeling sick queasy",
    ),
    "vomiting": TermWords(
        "1 to 2 episodes in 24 h",
        "3 to 5 episodes in 24 h",
        "6 or more episodes in 24 h, or tube feeding or parenteral nutrition needed",
        "life-threatening; urgent treatment needed",
        also="being sick throwing up emesis",
    ),
    "diarrhea": TermWords(
        "fewer than 4 stools a day more than usual",
        "4 to 6 stools a day more than usual",
        "7 or more stools a day more than usual, or incontinence, or limits self-care",
        "life-threatening; urgent treatment needed",
        also="diarrhoea loose stools bowels gut",
    ),
}
