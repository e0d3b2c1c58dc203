"""Label Studio: tasks as it imports them, and answers as it exports them."""

import json
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

from boneage_kedro.masks.drawn.label_studio import (
    label_studio_interface,
    label_studio_task,
    read_export,
    result_to_mask,
)
from boneage_kedro.masks.label_maps import UnusableMask

SHAPE = (40, 80)
LABELS = {"radius": 1, 'ulna "distal" <&>': 2}


def drawn() -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[10:20, 20:40], mask[22:30, 8:60] = 1, 2
    return mask


def item(**more: Any) -> dict[str, Any]:
    values = {
        "type": "polygonlabels",
        "original_width": 80,
        "original_height": 40,
        "image_rotation": 0,
        "value": {"points": [[25, 25], [50, 25], [50, 50], [25, 50]], "polygonlabels": ["radius"]},
    }
    return {**values, **more}


def value(**more: Any) -> dict[str, Any]:
    return item(value={**item()["value"], **more})


def export(*annotations: Any, **data: Any) -> bytes:
    task = {"id": 3, "data": {"image": "x", "radiograph": "7", **data}, "annotations": list(annotations)}
    return json.dumps([task]).encode()


def test_the_interface_names_the_tags_that_tasks_refer_to() -> None:
    view = ET.fromstring(label_studio_interface(LABELS))  # noqa: S314
    image, control = view
    task = label_studio_task("7", "u", drawn(), LABELS, 0)
    (result, _) = task["predictions"][0]["result"]
    assert (image.tag, image.get("value")) == ("Image", "$image")
    assert "image" in task["data"]
    assert control.tag == "PolygonLabels"
    assert (control.get("name"), control.get("toName")) == (result["from_name"], result["to_name"])
    assert image.get("name") == result["to_name"]
    assert [label.get("value") for label in control] == list(LABELS)


def test_a_task_holds_the_outlines_in_percent() -> None:
    task = label_studio_task("7", "u", drawn(), LABELS, 0)
    assert task["data"] == {"image": "u", "radiograph": "7"}
    first, second = task["predictions"][0]["result"]
    assert first["id"] != second["id"]
    assert (first["original_width"], first["original_height"], first["image_rotation"]) == (80, 40, 0)
    assert first["type"] == "polygonlabels"
    assert first["value"]["polygonlabels"] == ["radius"]
    assert {tuple(p) for p in first["value"]["points"]} == {(25, 25), (50, 25), (50, 50), (25, 50)}
    assert label_studio_task("7", "u", np.zeros_like(drawn()), LABELS, 0)["predictions"] == []


def test_an_unchanged_prediction_comes_back_as_it_was() -> None:
    result = label_studio_task("7", "u", drawn(), LABELS, 0)["predictions"][0]["result"]
    (answer,) = read_export(export({"result": result, "was_cancelled": False}), "e.json")
    assert answer.key == "7"
    assert np.array_equal(result_to_mask(answer.result, "e.json", LABELS, SHAPE), drawn())


def test_the_last_annotation_counts_that_was_not_skipped() -> None:
    done, skipped = {"result": [item()], "was_cancelled": False}, {"result": [], "was_cancelled": True}
    older = {"result": [], "was_cancelled": False}
    assert list(read_export(export(older, done, skipped), "e.json")) == [("7", [item()])]
    assert list(read_export(export(skipped), "e.json")) == []
    assert list(read_export(export(), "e.json")) == []


@pytest.mark.parametrize("content", [b"{", b'{"shapes": []}', b"7"])
def test_what_is_no_export_is_refused(content: bytes) -> None:
    with pytest.raises(UnusableMask, match=r"^e\.json: is not (JSON|a list of tasks; export them)"):
        list(read_export(content, "e.json"))


def test_a_task_that_cannot_be_read_leaves_the_others() -> None:
    good = json.loads(export({"result": [item()]}))
    content = json.dumps([7, {}, {"data": {"radiograph": 7}}, {"data": {"radiograph": "8"}}, *good]).encode()
    *bad, last = read_export(content, "e.json")
    assert last == ("7", [item()])
    assert [answer.key for answer in bad] == ["", "", "", "8"]
    reasons = [str(answer.result) for answer in bad]
    assert [reason.split(" where")[0] for reason in reasons] == [
        "e.json, task 1: has no 'data'",
        "e.json, task 2: has no 'data'",
        "e.json, task 3: has no 'radiograph'",
        "e.json, task 4: has no 'annotations'",
    ]


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ([], "has no polygons that cover a pixel"),
        ([7], "has no 'type' where one is needed"),
        ([item(type="brushlabels")], "has a shape of kind 'brushlabels'; only 'polygonlabels' is read"),
        ([item(image_rotation=90)], "is drawn on a turned picture"),
        ([item(original_width=81)], "is drawn on a picture of 81 x 40 pixels, but its radiograph is 80 x 40"),
        ([item(value=7)], "has no 'value' where one is needed"),
        ([value(points=None)], "has no 'points' where one is needed"),
        ([value(points=[[1, 2]])], "has a shape of fewer than 3 points"),
        ([value(points=[[1e308, 2]] * 3)], "has a shape that reaches"),
        ([value(points=[[float("nan"), 2]] * 3)], "has a shape with points that are not finite"),
        ([value(points=[["a", 2]] * 3)], "has a shape whose points are not numbers"),
        ([value(points=[[1, 2], [3, 4], [150, 4]])], "has a shape that reaches 40 pixels beyond the picture"),
        ([value(polygonlabels=[])], "has a polygon with the labels [], but it needs one"),
        ([value(polygonlabels=["hand"])], "has the labels 'hand', but those known are 'radius', 'ulna"),
        ([value(polygonlabels=None)], "has no 'polygonlabels' where one is needed"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_file(result: list[Any], reason: str) -> None:
    with pytest.raises(UnusableMask) as caught:
        result_to_mask(result, "e.json", LABELS, SHAPE)
    assert str(caught.value).startswith(f"e.json: {reason}")
