import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.phantom import Nuisance, fabricate_hand
from boneage_kedro.training.enhancement.pairs import FolderPairs, Pair, PhysicsPairs, TonedPairs

TONE: Any = {"mean": 0.5, "contrast": 0.18}
DEGRADATION: Any = {
    name: {"probability": 0.7, "low": low, "high": high}
    for name, (low, high) in {
        "shading": (-0.3, 0.3),
        "scatter": (0.05, 0.3),
        "dose": (1000, 9000),
        "blur": (0.001, 0.004),
        "exposure": (-1, 0.5),
        "gradient": (0.7, 1.6),
        "gamma": (0.7, 1.5),
        "window_width": (0.6, 1.4),
        "window_level": (0.35, 0.55),
        "gray_levels": (24, 128),
    }.items()
} | {"inversion": 0.1}


@pytest.fixture(scope="module")
def hands() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    pictures, masks = {}, {}
    for key, age in (("a", 60), ("b", 120), ("c", 180)):
        hand = fabricate_hand(age, Sex.MALE, age, 96, Nuisance(aspect=1.0))
        pictures[key], masks[key] = hand.image, hand.hand_mask.astype(np.uint8)
    return pictures, masks


def physics(
    hands: Any, ids: tuple[str, ...] = ("a", "b", "c"), seed: int = 1, fresh: bool = True
) -> PhysicsPairs:
    return PhysicsPairs(*hands, ids, TONE, DEGRADATION, seed, fresh)


def same(one: Pair, other: Pair) -> bool:
    return all((a == b).all() for a, b in zip(one, other, strict=True))


def test_gold_is_of_one_tone_and_the_input_is_another(hands: Any):
    pairs = physics(hands)
    assert (len(pairs), pairs.ids) == (3, ["a", "b", "c"])
    for i in range(3):
        x, y, inside = pairs.pair(i, 0)
        assert (x.dtype, y.dtype, inside.dtype) == (np.float32, np.float32, np.bool_)
        assert x.shape == y.shape == inside.shape == (96, 96)
        assert (inside == (hands[1][pairs.ids[i]] > 0)).all()
        assert y[inside].mean() == pytest.approx(0.5, abs=5e-3)
        assert y[inside].std() == pytest.approx(0.18, abs=5e-3)
        assert (x[~inside] == 0).all()
        assert (y[~inside] == 0).all()
        assert 0 <= x.min() <= x.max() <= 1
        assert np.abs(x - y)[inside].mean() > 0.02


def test_toned_pairs_come_in_the_standard_tone_with_the_same_gold(hands: Any):
    plain = physics(hands, fresh=True)
    toned = TonedPairs(plain, TONE)
    assert (toned.ids, len(toned)) == (plain.ids, len(plain))
    for epoch in (0, 1):
        given, made = plain.pair(0, epoch), toned.pair(0, epoch)
        np.testing.assert_array_equal(made.y, given.y)
        np.testing.assert_array_equal(made.inside, given.inside)
        assert made.x[made.inside].mean() == pytest.approx(TONE["mean"], abs=0.01)
        assert made.x.dtype == np.float32
        assert not np.array_equal(made.x, given.x)


def test_training_pairs_are_degraded_anew_in_each_epoch_and_others_never(hands: Any):
    training, fixed = physics(hands), physics(hands, fresh=False)
    assert (training.pair(0, 0).x != training.pair(0, 1).x).any()
    assert (training.pair(0, 0).y == training.pair(0, 1).y).all()
    assert same(fixed.pair(0, 0), fixed.pair(0, 5))
    assert same(fixed.pair(0, 0), training.pair(0, 0))


def test_a_pair_depends_on_seed_id_and_epoch_alone(hands: Any):
    assert same(physics(hands).pair(2, 3), physics(hands, ids=("c",)).pair(0, 3))
    assert (physics(hands).pair(0, 0).x != physics(hands, seed=2).pair(0, 0).x).any()


def test_cases_without_picture_or_mask_are_named(hands: Any):
    pictures, masks = hands
    with pytest.raises(LookupError, match="1 of 2 cases have no picture, such as z"):
        physics(hands, ids=("a", "z"))
    with pytest.raises(LookupError, match="1 of 3 cases have no hand mask, such as b"):
        physics((pictures, {key: mask for key, mask in masks.items() if key != "b"}))
    with pytest.raises(
        ValueError, match=r"case a: the hand mask is \(95, 96\), but its picture is \(96, 96\)"
    ):
        physics((pictures, masks | {"a": masks["a"][1:]})).pair(0, 0)


def write(folder: Path, part: str, name: str, pixels: np.ndarray) -> None:
    (folder / part).mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(folder / part / name), pixels)


def drawn(height: int = 40, width: int = 30, gray: int = 100) -> np.ndarray:
    pixels = np.zeros((height, width), np.uint8)
    pixels[5:-5, 5:-5] = gray
    pixels[height // 2, width // 2] = 0  # black within the hand
    return pixels


def test_pairs_of_a_folder(tmp_path: Path):
    write(tmp_path, "input", "b.png", drawn())
    write(tmp_path, "gold", "b.png", drawn(gray=200))
    write(tmp_path, "input", "a.png", (drawn().astype(np.uint16) * 257))
    write(
        tmp_path, "gold", "a.png", cv2.cvtColor(drawn(), cv2.COLOR_GRAY2BGR)
    )  # gray, though saved as colour
    pairs = FolderPairs(tmp_path, 40)
    assert (len(pairs), pairs.ids) == (2, ["a", "b"])
    assert not len(pairs.findings)
    x, y, inside = pairs.pair(1, 0)
    assert (x.dtype, y.dtype, inside.dtype) == (np.float32, np.float32, np.bool_)
    assert x.shape == y.shape == inside.shape == (40, 40)
    assert (x[10, 20], y[10, 20]) == pytest.approx((100 / 255, 200 / 255))
    assert inside.sum() == 30 * 20  # with the black pixel that it encloses
    assert (x[:, :5] == 0).all()  # centred, black beside
    assert same(pairs.pair(1, 0), pairs.pair(1, 9))
    assert (pairs.pair(0, 0).x == pairs.pair(0, 0).y).all()


def test_pairs_are_brought_to_the_side_asked_for(tmp_path: Path):
    for part in ("input", "gold"):
        write(tmp_path, part, "a.png", drawn(80, 60))
    x, _, inside = FolderPairs(tmp_path, 32).pair(0, 0)
    assert x.shape == inside.shape == (32, 32)
    assert x.max() == pytest.approx(100 / 255)


def test_what_cannot_be_used_is_found_and_the_rest_goes_in(tmp_path: Path):
    for key in ("good", "small", "colour", "cut", "jpeg"):
        write(tmp_path, "input", f"{key}.png", drawn())
        write(tmp_path, "gold", f"{key}.png", drawn())
    write(tmp_path, "input", "lonely.png", drawn())
    write(tmp_path, "gold", "orphan.png", drawn())
    write(tmp_path, "gold", "small.png", drawn(20, 20))
    write(tmp_path, "gold", "colour.png", np.dstack([drawn(), drawn(), drawn(gray=90)]))
    file = tmp_path / "input" / "cut.png"
    file.write_bytes(file.read_bytes()[:-20])
    write(tmp_path, "input", "jpeg.jpg", drawn())
    (tmp_path / "input" / "jpeg.jpg").replace(tmp_path / "input" / "jpeg.png")
    pairs = FolderPairs(tmp_path, 40)
    assert pairs.ids == ["good"]
    found = dict(zip(pairs.findings["id"], pairs.findings["detail"], strict=True))
    assert set(pairs.findings["kind"]) == {"unusable_pair"}
    assert found["lonely"].startswith("input/lonely.png: there is no gold/lonely.png beside it")
    assert found["orphan"].startswith("gold/orphan.png: there is no input/orphan.png beside it")
    assert "input/small is 30 x 40 pixels, but gold/small is 20 x 20" in found["small"]
    assert found["colour"] == "gold/colour.png: is in colour; save it as gray PNG"
    assert found["cut"].startswith("input/cut.png: the PNG file is cut short")
    assert found["jpeg"].startswith("input/jpeg.png: is not a PNG file")
    assert len(found) == 6


def test_two_files_of_one_id_are_a_finding(tmp_path: Path):
    for name in ("a.png", "sub/a.png"):
        (tmp_path / "input" / "sub").mkdir(parents=True, exist_ok=True)
        write(tmp_path, "input", name, drawn())
    write(tmp_path, "gold", "a.png", drawn())
    pairs = FolderPairs(tmp_path, 40)
    assert len(pairs) == 0
    assert pairs.findings["detail"].tolist() == ["input: a.png and sub/a.png are of one id; keep one of them"]


def test_a_folder_that_is_missing_is_named(tmp_path: Path):
    (tmp_path / "input").mkdir()
    with pytest.raises(FileNotFoundError, match="gold: there is no such folder"):
        FolderPairs(tmp_path, 40)


def test_pairs_are_made_without_torch():
    code = "import sys, boneage_kedro.training.enhancement.pairs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
