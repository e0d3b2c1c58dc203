import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from boneage_kedro.imaging.radiograph import UnreadableRadiograph
from boneage_kedro.tone.pictures import MAX_SIDE_PX, PictureFolder

GRAY = np.full((20, 30), 90, np.uint8)


def test_hands_of_8_bits_are_read_as_they_are(folder: Path, hands: dict[str, np.ndarray]) -> None:
    pictures = PictureFolder(folder)
    assert list(pictures.shapes) == list(hands)
    assert pictures.shapes["1377"] == hands["1377"].shape
    assert np.array_equal(pictures.read("left hand 2"), hands["left hand 2"])
    assert pictures.problems == []


def test_hands_of_16_bits_are_brought_to_8(folder: Path, hands: dict[str, np.ndarray]) -> None:
    hand = hands["1377"].astype(np.uint16) * 16
    cv2.imwrite(str(folder / "deep.png"), hand)
    read = PictureFolder(folder).read("deep")
    assert read.dtype == np.uint8
    assert read.max() == 255
    assert np.array_equal(read > 0, hand > 0)


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("text.png", b"not a picture", "text.png: is not a PNG file"),
        ("empty.png", b"", "empty.png"),
        ("torn.png", png(GRAY)[:60], "torn.png: the PNG file is cut short"),
        ("film.jpg", cv2.imencode(".jpg", GRAY)[1].tobytes(), "film.jpg: is not a PNG file"),
        ("colour.png", png(np.dstack([GRAY] * 3)), "colour.png: is in colour or has transparency"),
        ("clear.png", png(np.dstack([GRAY] * 4)), "clear.png: is in colour or has transparency"),
        ("black.png", png(0 * GRAY), "black.png: is black all over"),
        (
            "wide.png",
            png(np.ones((16, MAX_SIDE_PX + 1), np.uint8)),
            "wide.png: is 4097 x 16 pixels, more than",
        ),
        ("small.png", png(GRAY[:5]), "small.png: .* too few for a radiograph"),
        (" .png", png(GRAY), "has a name that cannot be used"),
        ("line\nbreak.png", png(GRAY), "has a name that cannot be used"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_the_others_are_there(
    folder: Path, hands: dict[str, np.ndarray], name: str, content: bytes, reason: str
) -> None:
    (folder / name).write_bytes(content)
    pictures = PictureFolder(folder)
    assert list(pictures.shapes) == list(hands)
    (problem,) = pictures.problems
    assert re.search(reason, problem)


def test_of_two_files_of_one_name_one_is_used_and_that_is_told(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "1377.png").write_bytes(png(GRAY))
    (problem,) = PictureFolder(folder).problems
    assert problem == "1377.png, more/1377.png: have one name; only 1377.png is used, rename the others"


def test_a_picture_that_was_changed_meanwhile_is_refused(pictures: PictureFolder) -> None:
    (pictures.path / "1377.png").write_bytes(png(GRAY))
    with pytest.raises(UnreadableRadiograph, match=r"1377\.png: has changed since the page was started"):
        pictures.read("1377")


def test_an_unknown_id_is_an_error(pictures: PictureFolder) -> None:
    with pytest.raises(KeyError, match="no such picture"):
        pictures.read("../1377")
