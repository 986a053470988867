"""Messages of HL7 v2 are answered AA, AE or AR, and only those of the right patient are read."""

from __future__ import annotations

import hl7
import pytest

from patients.exchange.formats.hl7_message import parse_message, split_messages
from patients.exchange.formats.hl7_patient import bed
from patients.exchange.formats.hl7v2 import MessageRead, read_messages
from patients.exchange.formats.mllp_frames import framed
from patients.exchange.formats.received import RefusedDocumentError
from tests.patients.exchange.formats.hl7_sent import NOW, OBR, PID, context, header, message, one

OBX = "OBX|1|NM|8310-5^Temp^LN||38.2|Cel|||||F"
WHOLE = message(PID, OBR, OBX)


def answer(read: MessageRead) -> dict[str, str]:
    """Return what an answer says, by our name of the field; parsed by the library."""
    parsed = hl7.parse(read.answer.decode())
    said = {
        "code": str(parsed.segment("MSA")[1]),
        "control_id": str(parsed.segment("MSA")[2]),
        "to": "|".join(str(parsed.segment("MSH")[n]) for n in (3, 4, 5, 6)),
        "type": str(parsed.segment("MSH")[9]),
    }
    if len(parsed) > 2:
        error = parsed.segment("ERR")
        said |= {"error": str(error[3]).split("^")[0], "location": str(error[2])}
    return said


def test_an_accepted_message_is_answered_with_its_control_id_and_swapped_names() -> None:
    assert answer(one(WHOLE)) == {
        "code": "AA", "control_id": "A1", "to": "CRS|WARD|LAB|KH", "type": "ACK^R01^ACK",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("msh", "code", "error"),
    [
        (header(kind="ADT^A08"), "AR", "200"),
        (header(kind="ADT^A40"), "AR", "200"),
        (header(kind=""), "AR", "200"),
        (header(kind="ORU^R30"), "AR", "201"),
        (header(kind="ORU"), "AR", "201"),
        *((header(processing=word), "AR", "202") for word in ("T", "D", "N", "V", "")),
        (header(processing="P^A"), "AA", None),
        *((header(version=word), "AR", "203") for word in ("2.2", "2.9", "3.0", "", "2.5x")),
        *((header(version=word), "AA", None) for word in ("2.3", "2.3.1", "2.8", "2.8.2")),
        (header(version="2.5^USA"), "AA", None),
        (header(control_id=""), "AE", "101"),
        (header(control_id='""'), "AE", "101"),
        (header(control_id="  "), "AE", "101"),
        (header(control_id="x" * 199), "AA", None),
        (header(control_id="x" * 200), "AR", "104"),
        (header(control_id="a\x07"), "AR", "102"),
        *((header(charset=word), "AA", None) for word in ("UNICODE UTF-8", "8859/1~ASCII")),
        *((header(charset=word), "AR", "103") for word in ("UTF-8", "8859/2", "UNICODE")),
        ("MSH|", "AR", "102"),
        ("MSH|^^\\&|LAB|KH||||||ORU^R01|A1|P|2.5", "AR", "102"),
        ("MSHa^~\\&aLABaKHaaaaaaORU^R01aA1aPa2.5", "AR", "102"),
    ],
)
def test_the_header_decides_whether_a_message_is_read(
    msh: str, code: str, error: str | None
) -> None:
    (read,) = read_messages(message(PID.replace("ü", "ue"), OBR, OBX, msh=msh), context(), NOW)
    said = answer(read)
    assert (said["code"], said.get("error")) == (code, error)
    assert (read.document is not None) == (code == "AA")


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (WHOLE.replace("ü".encode(), b"\xfc"), "102"),  # no UTF-8, and no other charset is named
        (message(PID, OBR, OBX, msh=header(charset="ASCII")), "102"),
        (WHOLE + header().encode() + b"\r", "100"),
        (b"", "100"),
        (b"EVN|A08", "100"),
        (b"\xff\xfeM\x00S\x00H\x00", "100"),
    ],
)
def test_what_cannot_be_decoded_is_rejected_and_answered_all_the_same(
    raw: bytes, error: str
) -> None:
    said = answer(one(framed(raw)))
    assert (said["code"], said["error"]) == ("AR", error)
    assert said["control_id"] == ("A1" if b"MSH|" in raw else "")


def test_a_charset_that_is_named_decodes_the_name_and_the_answer() -> None:
    raw = message(PID, OBR, OBX, msh=header(charset="8859/1").replace("LAB", "LÄB"))
    read = one(raw.decode().encode("iso-8859-1"))
    assert read.code.value == "AA"
    assert b"|L\xc4B|" in read.answer


def test_other_separators_are_used_as_the_header_names_them() -> None:
    table = str.maketrans("|^~\\&", "#*+!$")
    read = one(WHOLE.decode().translate(table).encode())
    assert read.code.value == "AA"
    assert read.answer.startswith(b"MSH#*+!$#CRS#WARD#LAB#KH#")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("is_framed", [True, False])
def test_line_ends_and_frames_make_no_difference(end: str, is_framed: bool) -> None:
    raw = WHOLE.replace(b"\r", end.encode())
    second = raw.replace(b"|A1|", b"|A2|")
    both = framed(raw) + framed(second) if is_framed else raw + second
    read = read_messages(both, context(), NOW)
    assert [answer(each)["control_id"] for each in read] == ["A1", "A2"]
    assert all(each.document and len(each.document.statements) == 1 for each in read)


def test_segments_around_a_batch_are_no_messages() -> None:
    raw = WHOLE + b"BTS|1\rFTS|1\r"
    (read,) = read_messages(raw, context(), NOW)
    assert [segment.name for segment in read.message.segments] == ["MSH", "PID", "OBR", "OBX"]
    assert split_messages(b"FHS|^~\\&\rBHS|^~\\&\r" + raw)[1] == 0


def test_a_file_without_a_message_is_refused() -> None:
    with pytest.raises(RefusedDocumentError):
        read_messages(b"\x0bMSH|half", context(), NOW)


@pytest.mark.parametrize(
    ("pid", "code", "error"),
    [
        ("PID|1||4711^^^^MR", "AA", None),
        ("PID|1||4711^^^KH&2.999.1.4711&ISO^PI", "AA", None),
        ("PID|1||1^^^^MR~4711^^^^MR", "AA", None),
        ("PID|1||4711^^^KH&2.999.1&ISO^PI", "AE", "204"),
        ("PID|1||4711", "AE", "204"),
        ("PID|1||4712^^^^MR", "AE", "204"),
        ("PID|1|4711|4712^^^^MR|4711", "AE", "204"),
        ("PID|1|4711^^^^MR||4711^^^^MR", "AE", "101"),
        ('PID|1||""', "AE", "101"),
        ("PID|1||^^^^MR", "AE", "101"),
        (None, "AE", "101"),
        ("PID|1||4711^^^^MR\rPID|2||4711^^^^MR~9^^^^MR", "AA", None),
        ("PID|1||4711^^^^MR\rPID|2||4712^^^^MR", "AE", "204"),
    ],
)
def test_the_patient_is_matched_by_record_number(
    pid: str | None, code: str, error: str | None
) -> None:
    said = answer(one(message(*([] if pid is None else [pid]), OBR, OBX)))
    assert (said["code"], said.get("error")) == (code, error)


@pytest.mark.parametrize(
    ("name", "birth_date", "charted", "agrees"),
    [
        ("MUELLER^JANA", "19800615", "Jana Müller", True),
        ("Muller", "198006150830", "Jana Müller", True),
        ("Müller", "1980", "Jana Mueller", True),
        ("Strauß", "", "Ida Strauss", True),
        ("Østergård", "", "Ida Oestergaard", True),
        ("Ostergard", "", "Ida Østergård", True),
        ("O\u2019Brien-Lee", "", "Ida Lee O'Brien", True),
        ("Lee&van&Lee", "", "Ida Lee", True),
        ("Schmidt^^^^^^M~Müller^^^^^^L", "", "Jana Müller", True),
        ("Müller", "", "MÜLLER, Jana (geb. Schmidt)", True),
        ('""', '""', "Jana Müller", True),
        ("Schmidt", "19800615", None, True),
        ("Schmidt", "19800615", "Jana Müller", False),
        ("Müller Schmidt", "19800615", "Jana Müller", False),
        ("Müll", "19800615", "Jana Müller", False),
        ("Müller", "19800616", "Jana Müller", False),
        ("Müller", "1981", "Jana Müller", False),
    ],
)
def test_a_name_or_birth_date_that_contradicts_the_chart_is_not_accepted(
    name: str, birth_date: str, charted: str | None, agrees: bool
) -> None:
    pid = f"PID|1||4711^^^^MR||{name}||{birth_date}"
    read = one(message(pid, OBR, OBX), context(name=charted))
    assert read.document is not None
    assert answer(read)["code"] == ("AA" if agrees else "AE")
    reasons = [item.reason for item in read.document.held]
    assert reasons == ([] if agrees else ["patient.contradiction"])
    assert bool(read.document.statements) == agrees
    assert b"ller" not in read.answer.lower()


def test_what_the_chart_lacks_contradicts_nothing() -> None:
    read = one(WHOLE.replace(b"1980", b"1999"), context(birth_date=None, mrn_system="urn:x"))
    assert read.code.value == "AA"


def test_a_control_id_again_is_a_replay_or_refused() -> None:
    other = WHOLE.replace(b"38.2", b"39.2")
    unknown = WHOLE.replace(b"4711^", b"4712^").replace(b"|A1|", b"|A2|")
    read = read_messages(WHOLE + WHOLE + other + WHOLE + unknown + unknown, context(), NOW)
    assert [each.code.value for each in read] == ["AA", "AA", "AR", "AA", "AE", "AE"]
    assert [each.is_replay for each in read] == [False, True, False, True, False, True]
    assert [each.document is not None for each in read] == [True] + [False] * 5
    assert read[0].answer == read[1].answer
    assert answer(read[2])["error"] == "205"


def test_control_ids_are_known_from_file_to_file() -> None:
    seen: dict[str, str] = {}
    read_messages(WHOLE, context(), NOW, seen)
    (again,) = read_messages(WHOLE.replace(b"38", b"39"), context(), NOW, seen)
    assert again.code.value == "AR"


@pytest.mark.parametrize(
    ("segments", "place"),
    [
        (["PV1|1|I|ICU^101^3^KH"], ("ICU", "3")),
        (["PID|1", "PV1|1|I|ICU^101^3^KH"], ("ICU", "3")),
        ([PID, "PV1|1|I|ICU^101^3^KH"], None),
        (["PV1|1|I|ICU"], None),
        ([], None),
    ],
)
def test_a_bed_is_read_where_no_patient_is_named(
    segments: list[str], place: tuple[str, str] | None
) -> None:
    (frame,) = split_messages(message(*segments))[0]
    assert bed(parse_message(frame)) == place
