"""Terms of the nervous system."""

from __future__ import annotations

from typing import Final

from grading.engine.ctcae.words import NOT_IN_CTCAE, TermWords

NEUROLOGIC: Final = {
    "encephalopathy": TermWords(
        "mild symptoms",
        "moderate; limits instrumental daily activities (telephone, shopping, money)",
        "severe; limits self-care (washing, dressing, eating)",
        "life-threatening; urgent treatment needed",
        also="mental status change ICANS neurotoxicity brain",
    ),
    "confusion": TermWords(
        "mild disorientation",
        "moderate disorientation; limits instrumental daily activities",
        "severe disorientation; limits self-care",
        "life-threatening; urgent treatment needed",
        also="disoriented muddled mental status",
    ),
    "delirium": TermWords(
        "mild acute confusional state",
        "moderate acute confusional state; limits instrumental daily activities",
        "severe acute confusional state; limits self-care",
        "life-threatening, or a danger to self or others",
        also="acute confusion mental status",
    ),
    "hallucinations": TermWords(
        "mild: for example perceptual distortions",
        "moderate hallucinations",
        "severe hallucinations, without need of psychiatric admission",
        "life-threatening, or a danger to self or others",
        also="seeing hearing things psychosis",
    ),
    "agitation": TermWords(
        "mild change of mood",
        "moderate agitation",
        "severe agitation, without need of psychiatric admission",
        "life-threatening, or a danger to self or others",
        also="restless aggressive",
    ),
    "seizure": TermWords(
        "brief partial seizure, consciousness kept",
        "brief generalised seizure",
        "several seizures in spite of treatment",
        "life-threatening; prolonged or repeated seizures",
        also="fits convulsion epilepsy status epilepticus",
    ),
    "dysphasia": TermWords(
        "aware of it; can still communicate",
        "moderate; spontaneous communication is impaired",
        "severe; cannot read, write or communicate",
        NOT_IN_CTCAE,
        also="aphasia word finding speech language talking",
    ),
    "dysarthria": TermWords(
        "mildly slurred speech",
        "moderately impaired articulation",
        "severely impaired articulation",
        NOT_IN_CTCAE,
        also="slurred speech talking",
    ),
    "tremor": TermWords(
        "mild symptoms",
        "moderate; limits instrumental daily activities",
        "severe; limits self-care",
        NOT_IN_CTCAE,
        also="shaking trembling handwriting",
    ),
    "ataxia": TermWords(
        "no symptoms; only seen on examination",
        "moderate; limits instrumental daily activities",
        "severe; limits self-care; a walking aid is needed",
        NOT_IN_CTCAE,
        also="unsteady gait balance dysmetria walking coordination",
    ),
    "somnolence": TermWords(
        "more sleepy than usual",
        "sedated; limits instrumental daily activities",
        "obtunded or stuporous",
        "life-threatening; urgent treatment needed",
        also="sleepy drowsy lethargy",
    ),
    "depressed_consciousness": TermWords(
        "less alert than usual",
        "slow to respond; limits instrumental daily activities",
        "hard to rouse",
        "life-threatening; urgent treatment needed",
        also="unconscious coma GCS unresponsive level of consciousness",
    ),
    "cerebral_edema": TermWords(
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        NOT_IN_CTCAE,
        "any: life-threatening; urgent treatment needed",
        also="brain swelling oedema raised intracranial pressure",
    ),
    "headache": TermWords(
        "mild pain",
        "moderate pain; limits instrumental daily activities",
        "severe pain; limits self-care",
        NOT_IN_CTCAE,
        also="head pain migraine",
    ),
}
