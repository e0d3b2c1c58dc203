import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from boneage_kedro.imaging.contrast.tone import ToneSettings, apply_tone, measure_hand
from boneage_kedro.tone.pairs import PairFolder, UnusablePair
from boneage_kedro.tone.pictures import fingerprint_picture
from boneage_kedro.tone.remake import main as remake

SETTINGS = ToneSettings(brightness=-5, contrast=30, sharpness=20)
OTHERS = ToneSettings(brightness=10, contrast=-20, sharpness=0)


@pytest.fixture
def hand(hands: dict[str, np.ndarray]) -> np.ndarray:
    return hands["1377"]


def read(file: Path) -> np.ndarray:
    image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


def test_a_pair_is_the_picture_its_gold_and_how_it_was_made(pairs: PairFolder, hand: np.ndarray) -> None:
    record = pairs.save("1377", hand, SETTINGS)
    gold = read(pairs.path / "gold" / "1377.png")
    assert np.array_equal(read(pairs.path / "input" / "1377.png"), hand)
    assert np.array_equal(gold, apply_tone(hand, SETTINGS))
    assert json.loads((pairs.path / "settings" / "1377.json").read_text("utf-8")) == record
    assert record["settings"] == SETTINGS
    assert (record["mean"], record["contrast"]) == measure_hand(gold)
    assert sorted(file.name for file in pairs.path.rglob("*.*")) == ["1377.json", "1377.png", "1377.png"]


def test_what_was_saved_is_known_again_and_can_be_replaced(pairs: PairFolder, hand: np.ndarray) -> None:
    known = fingerprint_picture(hand)
    assert pairs.record("1377", known) is None
    pairs.save("1377", hand, SETTINGS)
    record = pairs.save("1377", hand, OTHERS)
    assert PairFolder(pairs.path).record("1377", known) == record
    assert np.array_equal(read(pairs.file("gold", "1377")), apply_tone(hand, OTHERS))


def test_the_levels_of_all_gold_are_listed(pairs: PairFolder, hands: dict[str, np.ndarray]) -> None:
    for key, hand in hands.items():
        pairs.save(key, hand, SETTINGS)
    pairs.file("settings", "1379").write_text("{}")
    expected = {key: measure_hand(apply_tone(hands[key], SETTINGS)) for key in ("1377", "left hand 2")}
    assert dict(pairs.levels()) == expected


def test_a_gold_made_by_other_means_is_not_written_over(pairs: PairFolder, hand: np.ndarray) -> None:
    gold = pairs.file("gold", "1377")
    gold.parent.mkdir(parents=True)
    gold.write_bytes(b"of somebody else")
    with pytest.raises(UnusablePair, match=r"gold/1377\.png: was not made by this page"):
        pairs.save("1377", hand, SETTINGS)
    assert gold.read_bytes() == b"of somebody else"


@pytest.mark.parametrize(
    "content", [b"torn", cv2.imencode(".png", np.full((20, 20), 9, np.uint8))[1].tobytes()]
)
def test_an_input_that_lies_there_already_is_not_written_over(
    pairs: PairFolder, hand: np.ndarray, content: bytes
) -> None:
    file = pairs.file("input", "1377")
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"1377\.png: is not"):
        pairs.save("1377", hand, SETTINGS)
    assert file.read_bytes() == content
    assert not pairs.file("gold", "1377").exists()


def test_a_gold_that_was_changed_is_not_written_over(pairs: PairFolder, hand: np.ndarray) -> None:
    pairs.save("1377", hand, SETTINGS)
    cv2.imwrite(str(pairs.file("gold", "1377")), hand)
    with pytest.raises(UnusablePair, match="is not what its settings have made"):
        pairs.save("1377", hand, OTHERS)
    assert np.array_equal(read(pairs.file("gold", "1377")), hand)


def test_another_child_of_the_same_name_does_not_replace_the_first(
    pairs: PairFolder, hand: np.ndarray
) -> None:
    pairs.save("1377", hand, SETTINGS)
    with pytest.raises(UnusablePair, match="was made from another picture of this name"):
        pairs.save("1377", hand[:, ::-1], SETTINGS)
    assert np.array_equal(read(pairs.file("input", "1377")), hand)


@pytest.mark.parametrize("content", ["", "{}", '{"settings": {"brightness": NaN}}', "[]"])
def test_a_damaged_record_is_told(pairs: PairFolder, hand: np.ndarray, content: str) -> None:
    pairs.save("1377", hand, SETTINGS)
    pairs.file("settings", "1377").write_text(content)
    with pytest.raises(
        UnusablePair, match=r"settings/1377\.json: cannot be read; remove it and gold/1377\.png"
    ):
        pairs.save("1377", hand, OTHERS)


def test_removing_the_gold_makes_a_picture_open_again(pairs: PairFolder, hand: np.ndarray) -> None:
    pairs.save("1377", hand, SETTINGS)
    pairs.file("gold", "1377").unlink()
    assert pairs.record("1377", fingerprint_picture(hand)) is None


def test_a_kill_while_a_pair_is_written_anew_leaves_none_that_does_not_fit(
    pairs: PairFolder, hand: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs.save("1377", hand, SETTINGS)
    renamed = Path.replace
    for last in ("input", "settings", "gold"):

        def killed(self: Path, target: Path, last: str = last) -> Path:
            if target.parent.name == last:
                raise KeyboardInterrupt
            return renamed(self, target)

        monkeypatch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            pairs.save("1377", hand, OTHERS)
        assert np.array_equal(read(pairs.file("gold", "1377")), apply_tone(hand, SETTINGS))
    with pytest.raises(UnusablePair, match="is not what its settings have made"):  # record new, gold old
        pairs.record("1377", fingerprint_picture(hand))
    monkeypatch.undo()
    assert list(pairs.remake()) == [("1377", "")]
    assert np.array_equal(read(pairs.file("gold", "1377")), apply_tone(hand, OTHERS))


def test_gold_is_made_again_from_the_settings(
    pairs: PairFolder, hands: dict[str, np.ndarray], caplog: pytest.LogCaptureFixture
) -> None:
    for key, hand in hands.items():
        pairs.save(key, hand, SETTINGS)
    before = {key: pairs.file("gold", key).read_bytes() for key in hands}
    for key in hands:
        pairs.file("gold", key).unlink()
    caplog.set_level("INFO")
    remake([str(pairs.path)])
    assert {key: pairs.file("gold", key).read_bytes() for key in hands} == before
    assert "3 of 3 gold pictures were made again." in caplog.text


def test_what_cannot_be_made_again_is_told_and_the_others_are(
    pairs: PairFolder, hands: dict[str, np.ndarray], caplog: pytest.LogCaptureFixture
) -> None:
    for key, hand in hands.items():
        pairs.save(key, hand, SETTINGS)
        pairs.file("gold", key).unlink()
    pairs.file("input", "1377").write_bytes(b"torn")
    cv2.imwrite(str(pairs.file("input", "1379")), hands["1377"])
    with pytest.raises(SystemExit):
        remake([str(pairs.path)])
    assert pairs.file("gold", "left hand 2").exists()
    assert "input/1379.png: is not the picture that the settings are for" in caplog.text
    assert "1377.png: is not a PNG" in caplog.text
    assert not pairs.file("gold", "1377").exists()


def test_nothing_to_make_again_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        remake([str(tmp_path)])
    assert "has no settings" in capsys.readouterr().err
