import base64
import logging
import re
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from pydicom import Dataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, generate_uid
from starlette.types import ASGIApp

from boneage_kedro.cohort.tables import read_case_table
from boneage_kedro.evaluation.clinical.determination import sd_scores
from boneage_kedro.handover.package import ModelPackage
from boneage_kedro.imaging.sources import MemorySource, Radiographs
from boneage_kedro.reading.settings import AssessSettings
from boneage_kedro.service.server import STATIC, create_app

from .conftest import LIMIT

PAGE = "http://127.0.0.1:8765"


@pytest.fixture
def client(app: ASGIApp) -> TestClient:
    """A program that is no browser: it sends no Origin."""
    return TestClient(app, base_url=PAGE)


def post(client: TestClient, content: bytes, name: str = "7.png", **fields: Any) -> Any:
    return client.post("/assess", files={"file": (name, content)}, data=fields)


def dicom(pixels: np.ndarray, syntax: str = ExplicitVRLittleEndian, age: str = "") -> bytes:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = syntax
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = generate_uid()
    header.PatientName, header.PatientSex = "Secret^Child", "M"
    header.PatientAge = age
    header.Rows, header.Columns = pixels.shape
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 8
    header.HighBit, header.PixelRepresentation = 7, 0
    header.PixelData = pixels.tobytes()
    file = BytesIO()
    header.save_as(file, enforce_file_format=True)
    return file.getvalue()


def test_the_answer_is_the_row_that_assess_writes_with_its_overlay(
    client: TestClient, package: ModelPackage, settings: AssessSettings, hand: bytes
) -> None:
    answer = post(client, hand, sex="M").json()
    cases = read_case_table(pd.DataFrame({"id": ["7"], "sex": ["M"]}, dtype=str))
    radiographs = Radiographs([MemorySource("7.png", hand)], "memory")
    ((reading,),) = package.assessor(settings).read(cases, radiographs)
    row = package.result(reading).row()
    assert set(row) <= set(answer)
    assert all(answer[key] == value for key, value in row.items() if value == value)
    assert all(answer[key] is None for key, value in row.items() if value != value)
    drawn = cv2.imdecode(np.frombuffer(base64.b64decode(answer["overlay_png"]), np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(drawn[..., ::-1], reading.overlay)
    assert answer["network"] == package.network
    assert answer["interval_coverage"] == 0.9


def test_a_dicom_file_gives_the_same_age_as_a_png(
    client: TestClient, pixels: np.ndarray, hand: bytes
) -> None:
    png, dcm = post(client, hand, sex="M").json(), post(client, dicom(pixels), "7.dcm", sex="M").json()
    assert dcm["bone_age_months"] == pytest.approx(png["bone_age_months"], abs=0.11)
    assert dcm["id"] == "7"


def test_the_age_in_the_header_is_taken_where_no_other_is_given(
    client: TestClient, pixels: np.ndarray
) -> None:
    file = dicom(pixels, age="008Y")
    alone = post(client, file, "7.dcm", sex="M").json()
    assert alone["chronological_age_months"] == 96
    assert alone["sd_score"] is not None
    assert "the chronological age is that of the file's header" in alone["warnings"]
    given = post(client, file, "7.dcm", sex="M", chronological_age_months="60").json()
    assert given["chronological_age_months"] == 60
    assert "says a chronological age of 96 months, but 60 was given" in given["warnings"]


def test_the_sd_score_needs_a_chronological_age_of_the_table(client: TestClient, hand: bytes) -> None:
    with_age = post(client, hand, sex="M", chronological_age_months="96").json()
    age = np.array([with_age["bone_age_months"]])
    (expected,) = sd_scores(age, np.array([96.0]), ["M"], "chronological_age")
    assert with_age["sd_score"] == pytest.approx(expected, abs=0.02)
    assert with_age["determination"] in {"delayed", "normal", "advanced"}
    for months, verdict in ((None, "unknown"), ("1", "indeterminate")):
        fields = {} if months is None else {"chronological_age_months": months}
        answer = post(client, hand, sex="M", **fields).json()
        assert (answer["sd_score"], answer["determination"]) == (None, verdict)


def test_words_for_sex_are_those_of_tables(client: TestClient, hand: bytes) -> None:
    assert post(client, hand, sex="girl").json()["sex"] == "F"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "sex is missing; send it"),
        ({"sex": ""}, "sex is missing|sex '' is not one of F, M"),
        ({"sex": "x"}, "sex 'x' is not one of F, M"),
        ({"sex": "1"}, "sex '1' is not one of F, M"),
        ({"sex": ["F", "M"]}, "sex was sent more than once"),
        ({"Sex": "F"}, "sex is missing|unknown field 'Sex'"),
        ({"sex": "F", "age": "90"}, "unknown field 'age'; send file, sex, chronological_age_months"),
        (
            {"sex": "F", "chronological_age_months": "ten"},
            "chronological age 'ten' is not a number of months",
        ),
        ({"sex": "F", "chronological_age_months": "-3"}, "'-3' is not a number of months"),
    ],
)
def test_a_form_of_which_something_would_be_dropped_or_guessed_is_refused(
    client: TestClient, hand: bytes, fields: dict[str, Any], reason: str
) -> None:
    answer = post(client, hand, **fields)
    assert answer.status_code == 422
    assert re.search(reason, answer.json()["detail"])


def test_a_form_without_a_file_or_with_text_for_one_is_refused(client: TestClient) -> None:
    answer = client.post("/assess", data={"sex": "F"})
    assert (answer.status_code, answer.json()["detail"]) == (422, "file is missing; send it")
    assert client.post("/assess", data={"sex": "F", "file": "abc"}).status_code == 422


def test_two_files_are_refused(client: TestClient, hand: bytes) -> None:
    files = [("file", ("1.png", hand)), ("file", ("2.png", hand))]
    answer = client.post("/assess", files=files, data={"sex": "F"})
    assert answer.status_code == 422
    assert "file was sent more than once" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["../7.png", "/etc/passwd", "..\\7.png", "..", "x" * 300])
def test_a_name_that_is_a_path_is_refused(client: TestClient, hand: bytes, name: str) -> None:
    answer = post(client, hand, name, sex="F")
    assert answer.status_code in {400, 422}
    assert "name" in answer.json()["detail"]


def test_a_name_with_letters_that_cannot_be_printed_is_refused(client: TestClient) -> None:
    parts = [b'name="file"; filename="a\x07.png"\r\n\r\nx', b'name="sex"\r\n\r\nF']
    body = (
        b"".join(b"--b\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--b--\r\n"
    )
    answer = client.post("/assess", content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 422
    assert "rename it" in answer.json()["detail"]


@pytest.mark.parametrize("content", [b"", b"hello", b"GIF89a", b"%PDF-1.7", b"PK\x03\x04", b"<svg/>"])
def test_a_file_of_another_kind_is_refused_whatever_its_name(client: TestClient, content: bytes) -> None:
    answer = post(client, content, "hand.png", sex="F")
    assert answer.status_code == 415
    assert "no PNG, JPEG, TIFF or DICOM file" in answer.json()["detail"]


def test_a_request_that_is_too_large_is_refused_whatever_it_announces(
    client: TestClient, hand: bytes
) -> None:
    answer = post(client, hand + bytes(LIMIT), sex="F")
    assert answer.status_code == 413
    assert "the limit of this service" in answer.json()["detail"]

    def pieces() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        yield from (bytes(50_000) for _ in range(20))

    answer = client.post(
        "/assess", content=pieces(), headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert answer.status_code == 413


def png_of(columns: int, rows: int) -> bytes:
    """A picture that is said to be so large, of pixels that pack well."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def deflated_bomb() -> bytes:
    """A DICOM file of 0.3 MB that inflates to 300 MB."""
    small = dicom(np.zeros((64, 64), np.uint8), DeflatedExplicitVRLittleEndian)
    meta = small[: 144 + struct.unpack_from("<I", small, 140)[0]]
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    zeros = bytes(2**20)
    return meta + b"".join(packer.compress(zeros) for _ in range(300)) + packer.flush()


def test_decompression_bombs_are_refused(package: ModelPackage, settings: AssessSettings) -> None:
    client = TestClient(create_app(package, settings, 2**20), base_url=PAGE)
    answer = post(client, png_of(60_000, 60_000), sex="F")
    assert answer.status_code == 422
    assert "60000 x 60000 pixels, more than the limit" in answer.json()["detail"]
    answer = post(client, deflated_bomb(), "7.dcm", sex="F")
    assert answer.status_code == 422
    assert "unpacks to more than 217 MB" in answer.json()["detail"]


@pytest.mark.parametrize("keep", [140, 400, 5000])
def test_a_malformed_dicom_file_is_refused(client: TestClient, pixels: np.ndarray, keep: int) -> None:
    answer = post(client, dicom(pixels)[:keep], "7.dcm", sex="F")
    assert answer.status_code == 422
    assert "DICOM file" in answer.json()["detail"]
    assert "Secret" not in answer.text


def test_nothing_of_a_request_is_logged(
    client: TestClient, pixels: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "boneage_kedro"):
        post(client, dicom(pixels), "Secret_Child.dcm", sex="F")
        post(client, dicom(pixels)[:300], "Secret_Child.dcm", sex="x")
    ours = [
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "asyncio"))
    ]
    assert not [line for line in ours if "Secret" in line]


@pytest.mark.parametrize(("origin", "status"), [(PAGE, 200), ("https://example.org", 403), ("null", 403)])
def test_pages_of_other_sites_may_not_ask(client: TestClient, hand: bytes, origin: str, status: int) -> None:
    form = {"files": {"file": ("7.png", hand)}, "data": {"sex": "F"}}
    assert client.post("/assess", **form, headers={"origin": origin}).status_code == status  # type: ignore[arg-type]


def test_other_names_of_this_machine_are_refused(client: TestClient) -> None:
    assert client.get("/health", headers={"host": "example.org"}).status_code == 400


def test_the_interface_describes_itself(client: TestClient, package: ModelPackage) -> None:
    health = {"status": "ok", "network": package.network, "masks": [], "most_bytes": LIMIT}
    assert client.get("/health").json() == health
    described = client.get("/openapi.json").json()
    (body,) = described["paths"]["/assess"]["post"]["requestBody"]["content"].values()
    form = described["components"]["schemas"][body["schema"]["$ref"].rsplit("/", 1)[-1]]
    assert form["required"] == ["file", "sex"]
    assert set(form["properties"]) == {"file", "sex", "chronological_age_months"}


def test_the_page_has_all_it_names(client: TestClient) -> None:
    named = set(re.findall(r'(?:src|href)="([^"]+)"', client.get("/").text))
    for script in STATIC.glob("*.js"):
        named |= {
            name.removeprefix("./") for name in re.findall(r'from "([^"]+)"', script.read_text("utf-8"))
        }
    assert {"app.js", "style.css", "reading.js", "shared/page.css", "shared/requests.js"} <= named
    assert {name: client.get(f"/{name}").status_code for name in named} == dict.fromkeys(named, 200)
