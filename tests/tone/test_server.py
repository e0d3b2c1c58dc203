import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from boneage_kedro.imaging.contrast.tone import apply_tone, measure_hand, smooth
from boneage_kedro.tone.pairs import PairFolder
from boneage_kedro.tone.pictures import PictureFolder
from boneage_kedro.tone.server import STATIC, THUMBNAIL_PX, create_app

PAGE = "http://127.0.0.1:8765"
SETTINGS = {"brightness": 5.0, "contrast": 20.0, "sharpness": 10.0}


@pytest.fixture
def page(pictures: PictureFolder, pairs: PairFolder) -> TestClient:
    return TestClient(create_app(pictures, pairs), base_url=PAGE, headers={"origin": PAGE})


def image(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def test_the_sheet_lists_the_pictures_with_what_was_saved(
    page: TestClient, pairs: PairFolder, hands: dict[str, np.ndarray]
) -> None:
    record = page.put("/api/pictures/left hand 2/settings", json=SETTINGS).json()
    gold = measure_hand(apply_tone(hands["left hand 2"], SETTINGS))  # type: ignore[arg-type]
    assert (record["settings"], record["mean"]) == (SETTINGS, gold.mean)
    assert page.get("/api/sheet").json() == {
        "pictures": [
            {"id": "1377", "width": 156, "height": 200, "record": None},
            {"id": "1379", "width": 156, "height": 200, "record": None},
            {"id": "left hand 2", "width": 156, "height": 200, "record": record},
        ],
        "gold": {"left hand 2": {"mean": gold.mean, "contrast": gold.contrast}},
        "problems": [],
    }


def test_pixels_come_bare(page: TestClient, hands: dict[str, np.ndarray]) -> None:
    hand = hands["1379"]
    assert page.get("/api/pictures/1379/gray").content == hand.tobytes()
    smoothed = np.frombuffer(page.get("/api/pictures/1379/smooth").content, "<f4")
    assert np.array_equal(smoothed.reshape(hand.shape), smooth(hand))


def test_the_thumbnail_shows_the_gold_once_there_is_one(page: TestClient) -> None:
    before = image(page.get("/api/pictures/1377/thumbnail.png").content)
    page.put("/api/pictures/1377/settings", json={**SETTINGS, "brightness": 30})
    after = image(page.get("/api/pictures/1377/thumbnail.png").content)
    assert before.shape == after.shape == (THUMBNAIL_PX, 100)
    assert after[before > 50].mean() > before[before > 50].mean() + 40


def test_what_is_left_out_is_told(folder: Path, pairs: PairFolder) -> None:
    (folder / "text.png").write_bytes(b"no picture")
    pairs.file("gold", "1379").parent.mkdir(parents=True)
    pairs.file("gold", "1379").write_bytes(b"of somebody else")
    page = TestClient(create_app(PictureFolder(folder), pairs), base_url=PAGE, headers={"origin": PAGE})
    sheet = page.get("/api/sheet").json()
    assert [picture["id"] for picture in sheet["pictures"]] == ["1377", "left hand 2"]
    assert [problem.split(":")[0] for problem in sheet["problems"]] == ["text.png", "gold/1379.png"]
    answer = page.put("/api/pictures/1379/settings", json=SETTINGS)
    assert answer.status_code == 422
    assert "gold/1379.png: was not made by this page" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"brightness": 101, "contrast": 0, "sharpness": 0}, "brightness: .* at least -100 and at most 100"),
        ({"brightness": 0, "contrast": 0, "sharpness": -1}, "sharpness: .* at least 0 and at most 100"),
        ({"brightness": 0, "contrast": 0}, "sharpness: Field required"),
        ({"brightness": "dark", "contrast": 0, "sharpness": 0}, "brightness: .*valid number"),
        ([], "these settings cannot be used"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    page: TestClient, pairs: PairFolder, settings: object, reason: str
) -> None:
    answer = page.put("/api/pictures/1377/settings", json=settings)
    assert answer.status_code == 422
    assert re.search(reason, answer.json()["detail"])
    assert not pairs.path.exists()


@pytest.mark.parametrize("key", ["9", "..%2Fpairs", "%2e%2e%2fpictures%2f1377", "1377.png", "..%5C1377"])
@pytest.mark.parametrize("what", ["gray", "smooth", "thumbnail.png", "settings"])
def test_an_unknown_id_is_not_found_and_nothing_is_written(
    page: TestClient, pairs: PairFolder, key: str, what: str
) -> None:
    method = "PUT" if what == "settings" else "GET"
    body = SETTINGS if what == "settings" else None
    assert page.request(method, f"/api/pictures/{key}/{what}", json=body).status_code in (404, 405)
    assert not pairs.path.exists()


def test_a_folder_that_cannot_be_written_to_is_told(page: TestClient, pairs: PairFolder) -> None:
    pairs.path.write_bytes(b"a file where the folder should be")
    answer = page.put("/api/pictures/1377/settings", json=SETTINGS)
    assert answer.status_code == 500
    assert "cannot be written or read (" in answer.json()["detail"]


@pytest.mark.parametrize("origin", ["null", "https://example.org", "http://127.0.0.1:9999"])
def test_only_the_page_may_save(page: TestClient, pairs: PairFolder, origin: str) -> None:
    answer = page.put("/api/pictures/1377/settings", json=SETTINGS, headers={"origin": origin})
    assert answer.status_code == 403
    assert not pairs.path.exists()


def test_other_names_of_this_machine_are_refused(page: TestClient) -> None:
    assert page.get("/api/sheet", headers={"host": "example.org"}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/", "/shared/page.css", "/api/sheet", "/api/pictures/1377/gray", "/nothing"]
)
def test_every_answer_is_for_this_page_alone(page: TestClient, path: str) -> None:
    headers = page.get(path).headers
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")


def test_the_page_has_all_it_names(page: TestClient) -> None:
    named = set(re.findall(r'(?:src|href)="([^"]+)"', page.get("/").text))
    for script in STATIC.glob("*.js"):
        named |= {
            name.removeprefix("./") for name in re.findall(r'from "([^"]+)"', script.read_text("utf-8"))
        }
    assert {"app.js", "style.css", "tone.js", "shared/page.css", "shared/keys.js"} <= named
    assert {name: page.get(f"/{name}").status_code for name in named} == dict.fromkeys(named, 200)
