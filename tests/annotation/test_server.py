import re
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from boneage_kedro.annotation.server import STATIC, create_app
from boneage_kedro.masks.drawn.queue import AnnotationQueue
from boneage_kedro.phantom import Phantom

PAGE = "http://127.0.0.1:8765"


def client(queue: AnnotationQueue, page: str = PAGE, origin: str | None = PAGE) -> TestClient:
    return TestClient(create_app(queue), base_url=page, headers={"origin": origin} if origin else {})


def png(mask: np.ndarray) -> bytes:
    return cv2.imencode(".png", mask)[1].tobytes()


def codes(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def bar(hand: Phantom) -> np.ndarray:
    mask = np.zeros_like(hand.image)
    mask[100:200, 50:90] = 1
    return mask


def test_the_queue_is_listed_in_its_order(queue: AnnotationQueue, hand: Phantom) -> None:
    queue.save_answer("left hand 2", bar(hand))
    assert client(queue).get("/api/queue").json() == {
        "labels": {"hand": 1},
        "cases": [
            {"id": "1377", "answered": False},
            {"id": "left hand 2", "answered": True},
            {"id": "1379", "answered": False},
        ],
    }


def test_the_picture_is_the_file_itself(queue: AnnotationQueue) -> None:
    answer = client(queue).get("/api/cases/left hand 2/picture.png")
    assert answer.content == queue.picture("left hand 2").read_bytes()
    assert answer.headers["content-type"] == "image/png"


def test_the_mask_is_the_proposal_until_there_is_an_answer(queue: AnnotationQueue, hand: Phantom) -> None:
    page = client(queue)
    proposed = codes(page.get("/api/cases/1377/mask.png").content)
    assert np.array_equal(proposed, queue.proposal("1377"))
    assert page.put("/api/cases/1377/mask.png", content=png(bar(hand))).status_code == 204
    assert np.array_equal(queue.answer("1377"), bar(hand))
    assert np.array_equal(codes(page.get("/api/cases/1377/mask.png").content), bar(hand))
    assert np.array_equal(codes(page.get("/api/cases/1377/proposal.png").content), proposed)


def test_codes_of_several_classes_come_and_go(forearm: AnnotationQueue, hand: Phantom) -> None:
    mask = bar(hand)
    mask[220:260, 50:90] = 2
    assert client(forearm).put("/api/cases/7/mask.png", content=png(mask)).status_code == 204
    assert np.array_equal(codes(client(forearm).get("/api/cases/7/mask.png").content), mask)


def two_hands(mask: np.ndarray) -> bytes:
    mask[100:200, 150:190] = 1
    return png(mask)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (lambda _: b"GIF89a", 422, "is not a PNG file"),
        (lambda mask: png(mask)[:60], 422, "cut short"),
        (lambda mask: png(mask[1:]), 422, r"is 250 x 319 pixels, but its radiograph is 250 x 320"),
        (lambda mask: png(np.dstack([mask] * 3)), 422, "is in colour"),
        (lambda mask: png(0 * mask), 422, "is empty"),
        (lambda mask: png(5 * mask), 422, r"holds the codes \[5\], but there are 2 classes"),
        (two_hands, 422, "has two hands"),
        (lambda mask: bytes(mask.size + 10_000), 413, "larger than a mask of this radiograph"),
    ],
)
def test_what_is_no_mask_is_refused_with_the_reason_and_leaves_the_answer_before(
    queue: AnnotationQueue, hand: Phantom, body: Callable[[np.ndarray], bytes], status: int, reason: str
) -> None:
    queue.save_answer("1377", bar(hand))
    answer = client(queue).put("/api/cases/1377/mask.png", content=body(bar(hand)))
    assert answer.status_code == status
    assert re.search(reason, answer.json()["detail"])
    assert np.array_equal(queue.answer("1377"), bar(hand))


@pytest.mark.parametrize("key", ["9", "..%2Fasked", "%2e%2e%2fqueue%2f1377", "1377.png"])
@pytest.mark.parametrize("file", ["picture.png", "mask.png", "proposal.png"])
def test_an_unknown_id_is_not_found(queue: AnnotationQueue, key: str, file: str) -> None:
    assert client(queue).get(f"/api/cases/{key}/{file}").status_code == 404


def test_saving_an_unknown_id_says_so(queue: AnnotationQueue, hand: Phantom) -> None:
    answer = client(queue).put("/api/cases/9/mask.png", content=png(bar(hand)))
    assert (answer.status_code, answer.json()) == (404, {"detail": "there is no radiograph 9 in the queue"})


def test_an_unusable_answer_is_told_and_the_proposal_stays(queue: AnnotationQueue) -> None:
    (queue.folder / "answers").mkdir(exist_ok=True)
    (queue.folder / "answers" / "1377.png").write_bytes(b"no picture")
    answer = client(queue).get("/api/cases/1377/mask.png")
    assert answer.status_code == 422
    assert "1377.png: is not a PNG file" in answer.json()["detail"]
    assert client(queue).get("/api/cases/1377/proposal.png").status_code == 200


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1.example.org", "192.168.0.5:8765"])
def test_other_names_of_this_machine_are_refused(queue: AnnotationQueue, host: str) -> None:
    assert client(queue, f"http://{host}").get("/api/queue").status_code == 400


@pytest.mark.parametrize("origin", [None, "null", "https://example.org", "http://127.0.0.1:9999"])
def test_only_the_page_may_save(queue: AnnotationQueue, hand: Phantom, origin: str | None) -> None:
    answer = client(queue, origin=origin).put("/api/cases/1377/mask.png", content=png(bar(hand)))
    assert answer.status_code == 403
    assert "only the page at http://127.0.0.1:8765" in answer.json()["detail"]
    assert "1377" in queue.open_ids


def test_the_page_may_be_opened_as_localhost(queue: AnnotationQueue, hand: Phantom) -> None:
    local = client(queue, "http://localhost:1234", "http://localhost:1234")
    assert local.put("/api/cases/1377/mask.png", content=png(bar(hand))).status_code == 204


@pytest.mark.parametrize("path", ["/", "/app.js", "/api/queue", "/api/cases/1377/picture.png", "/nothing"])
def test_every_answer_is_for_this_page_alone(queue: AnnotationQueue, path: str) -> None:
    headers = client(queue, origin="https://example.org").get(path).headers
    assert "access-control-allow-origin" not in headers
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")


def test_the_page_has_all_it_names_and_asks_nobody_else(queue: AnnotationQueue) -> None:
    page = client(queue)
    named = set(re.findall(r'(?:src|href)="([^"]+)"', page.get("/").text))
    for script in STATIC.glob("*.js"):
        named |= {
            name.removeprefix("./") for name in re.findall(r'from "([^"]+)"', script.read_text("utf-8"))
        }
    assert {"app.js", "style.css", "png.js", "shared/keys.js"} <= named
    assert {name: page.get(f"/{name}").status_code for name in named} == dict.fromkeys(named, 200)
