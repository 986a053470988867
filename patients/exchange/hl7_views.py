"""HL7 over HTTP: one HL7 v2 message a POST, answered by its acknowledgement."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from django.http import HttpResponse, HttpResponseBase

from crs_app.proxies import client_address
from patients.exchange.access.callers import SystemRequest, for_systems
from patients.exchange.formats.hl7_tables import AnswerCode
from patients.exchange.formats.mllp_frames import Frame
from patients.exchange.hl7_receive import receive_frame

MEDIA_TYPE: Final = "x-application/hl7-v2+er7"
_STATUS: Final = {
    AnswerCode.ACCEPTED: HTTPStatus.OK,
    AnswerCode.ERROR: HTTPStatus.UNPROCESSABLE_ENTITY,
    AnswerCode.REJECTED: HTTPStatus.BAD_REQUEST,
}


@for_systems("system/Observation.c")
def hl7(request: SystemRequest) -> HttpResponseBase:
    """Receive a message; 503 where the database does not answer, so that it is sent again."""
    if request.method != "POST":
        return HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})
    address = client_address(request)
    answered = receive_frame(request.caller.system, Frame(request.read()), address=address)
    if answered.course_id is not None:
        request.concerned_courses.append(answered.course_id)
    status = _STATUS[answered.code]
    return HttpResponse(answered.answer or b"", status=status, content_type=MEDIA_TYPE)
