"""The tool writes outlines in the pixels of the originals, and names what it cannot use without stopping."""

import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

TOOL = Path(__file__).parents[2] / "tools" / "trace_outlines.py"


def line(*points: list[float], kind: str = "linestrip") -> dict[str, object]:
    return {"label": "ulna", "points": points, "shape_type": kind}


def test_outlines_are_written_at_the_size_of_the_originals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("pictures", "lines"):
        (tmp_path / folder).mkdir()
    picture = np.full((80, 60), 40, np.uint8)
    picture[30:70, 20:40] = 180
    cv2.imwrite(str(tmp_path / "pictures" / "7.png"), picture)
    shapes = [
        line([19, 68], [19, 32]),
        line([22, 29], [38, 29]),
        line([41, 32], [41, 68]),
        line([38, 71], [22, 71]),
    ]
    rough = {"shapes": shapes, "imagePath": "7.png", "imageHeight": 80, "imageWidth": 60}
    (tmp_path / "lines" / "7.json").write_text(json.dumps(rough))
    (tmp_path / "lines" / "8.json").write_text(json.dumps(rough))
    pd.DataFrame({"id": ["7"], "orig_width": [121], "orig_height": [160]}).to_csv(tmp_path / "sizes.csv")
    folders = [tmp_path / name for name in ("pictures", "lines", "outlines")]

    monkeypatch.setattr(sys, "argv", [str(TOOL), *map(str, folders), "--sizes", str(tmp_path / "sizes.csv")])
    with pytest.raises(SystemExit, match="1"):
        runpy.run_path(str(TOOL), run_name="__main__")

    assert "8.json: its picture or its size is missing" in capsys.readouterr().err
    assert [file.name for file in folders[2].iterdir()] == ["7.json"]
    written = json.loads((folders[2] / "7.json").read_text())
    points = np.array(written["shapes"][0]["points"])
    scale = np.array([121 / 60, 2])
    assert (written["imageWidth"], written["imageHeight"]) == (121, 160)
    assert np.allclose(points.min(0), scale * (20, 30), atol=1.2)
    assert np.allclose(points.max(0), scale * (40, 70), atol=1.2)
