"""English sentences of findings that only scales other than Lee's have.

As in ``sentences``: parameters are plain JSON and a sentence needs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from grading.engine.scale_vocabulary import (
    AdmissionSetting,
    BloodProductName,
    ConsciousnessLevel,
    DeathCause,
    NeuroSignName,
    NotPerformedReason,
    SeizureType,
)
from grading.engine.sentences import Params, inside_a_sentence, minutes_text, render
from grading.engine.vocabulary import OxygenDevice, TreatmentAgent, term_label

_LEVEL: Final = {str(level): level.label for level in ConsciousnessLevel}
_SEIZURE: Final = {str(kind): kind.label for kind in SeizureType}
_SIGN: Final = {str(sign): sign.label for sign in NeuroSignName}
_PRODUCT: Final = {str(product): product.label for product in BloodProductName}
_REASON: Final = {str(reason): reason.label for reason in NotPerformedReason}
_SETTING: Final = {str(setting): setting.label for setting in AdmissionSetting}
_CAUSE: Final = {str(cause): cause.label for cause in DeathCause}
_AGENT: Final = {str(agent): agent.label for agent in TreatmentAgent}
_DEVICE: Final = {str(device): device.label for device in OxygenDevice}


def render_finding(sentence: str, params: Params) -> str:
    """Return a sentence of a finding, of Lee's or of another scale; KeyError for none."""
    own = _SENTENCES.get(sentence)
    return render(sentence, params) if own is None else own(params)


def _flow(params: Params) -> str:
    device = _DEVICE[params["device"]]
    flow = f" {params['flow_l_per_min']} L/min" if "flow_l_per_min" in params else ""
    fio2 = f", FiO2 {params['fio2_percent']} %" if params.get("estimated") is False else ""
    return f"{device}{flow}{fio2}"


def _no_flow(params: Params) -> str:
    return f"{_flow(params)}: flow not charted, more than 6 L/min is high flow"


def _fever_not_known(params: Params) -> str:
    if params["why"] == "never":
        return "No temperature charted: without a fever the rest is withheld"
    if params["why"] == "masked":
        treatment = _AGENT[params["agent"]]
        return f"{treatment} was given and may mask a fever: the rest is withheld"
    return "The last fever is too long ago, and none was treated: the rest is withheld"


def _ice(params: Params) -> str:
    if params["lowest"] == params["highest"]:
        return f"ICE {params['lowest']} of 10"
    return f"ICE {params['lowest']} to {params['highest']} of 10: not all was asked"


def _capd(params: Params) -> str:
    return f"CAPD {params['score']}"


def _unable(params: Params) -> str:
    reason = f": {_REASON[params['reason']]}" if params.get("reason") else ""
    return f"{params['tool']} could not be done{reason}"


def _consciousness(params: Params) -> str:
    return _LEVEL[params["level"]]


def _level_not_known(_params: Params) -> str:
    return "ICE 0: how awake is the patient? Not charted"


def _seizure(params: Params) -> str:
    text = _seizure_type(params)
    if "duration_minutes" in params:
        text += f", {params['duration_minutes']} min"
    if params.get("resolved") is False:
        text += ", not ended"
    if params.get("repetitive"):
        text += ", again without recovery"
    return f"{text}; counted for {minutes_text(int(params['hold_minutes']))}"


def _no_duration(params: Params) -> str:
    return f"{_seizure_type(params)}: how long it lasted is not charted"


def _seizure_type(params: Params) -> str:
    return f"Seizure, {inside_a_sentence(_SEIZURE[params['seizure_type']])}"


def _signs(params: Params) -> str:
    return "; ".join([_SIGN[sign] for sign in params["signs"]])


def _not_assessed(params: Params) -> str:
    if params["terms"]:
        charted = ", ".join([term_label(term) for term in params["terms"]])
        return f"Charted: {charted}; consciousness not assessed since"
    return "A seizure was charted; consciousness not assessed since"


def _hospitalised(params: Params) -> str:
    return f"In hospital because of CRS: {_SETTING[params['setting']]}"


def _admission_not_known(params: Params) -> str:
    if "setting" in params:
        return f"{_SETTING[params['setting']].capitalize()}: whether because of CRS is not charted"
    return "Not charted: is the patient in hospital because of CRS?"


def _therapy(params: Params) -> str:
    hold = minutes_text(int(params["hold_minutes"]))
    return f"{_AGENT[params['agent']]} given, counted for {hold}"


def _product(params: Params) -> str:
    hold = minutes_text(int(params["hold_minutes"]))
    return f"{_PRODUCT[params['product']]} given, counted for {hold}"


def _support(params: Params) -> str:
    drugs = _running(params) if params["infusions"] else "No vasopressor now"
    return f"{drugs}; support for {minutes_text(int(params['credited_minutes']))}"


def _prolonged(params: Params) -> str:
    if params["judged"]:
        return "Judged: prolonged, or came again after improvement"
    return "Prolonged, or again after improvement? Not judged"


def _refractory(params: Params) -> str:
    return f"{_running(params)}; low pressure on high doses: not judged"


def _running(params: Params) -> str:
    text = render("vasopressor.multiple", params)
    return text if len(params["infusions"]) > 1 else f"One vasopressor:{text.partition(':')[2]}"


def _death(params: Params) -> str:
    causes = ", ".join([_CAUSE[cause] for cause in params["due_to"]])
    return f"Death due to {causes}"


_SENTENCES: Final[Mapping[str, Callable[[Params], str]]] = {
    "oxygen.flow": _no_flow,
    "device.flow": _flow,
    "astct.fever": _fever_not_known,
    "icans.ice": _ice,
    "icans.capd": _capd,
    "icans.unable": _unable,
    "icans.consciousness": _consciousness,
    "icans.level_not_known": _level_not_known,
    "icans.seizure": _seizure,
    "icans.seizure_duration": _no_duration,
    "icans.signs": _signs,
    "icans.not_assessed": _not_assessed,
    "penn.hospitalised": _hospitalised,
    "penn.admission_not_known": _admission_not_known,
    "treatment.given": _therapy,
    "product.given": _product,
    "vasopressor.support": _support,
    "judgement.prolonged": _prolonged,
    "mskcc.refractory": _refractory,
    "death.due_to": _death,
}
