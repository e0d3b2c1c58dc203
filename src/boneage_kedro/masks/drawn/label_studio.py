"""Label Studio: tasks with outlines to correct, the labelling interface they need, and answers exported as JSON.

Label Studio counts points in percent of the picture's sides.
"""

import html
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from boneage_kedro.masks.drawn.polygons import labelled_polygons, polygons_to_mask
from boneage_kedro.masks.drawn.shapes import check_picture_size, codes_of, parse_json, pick, read_points
from boneage_kedro.masks.label_maps import UnusableMask

_FROM, _TO = "label", "image"  # names of the two tags in the interface
_KIND = "polygonlabels"
_ID = "radiograph"  # in a task's data, which an export brings back


class Answer(NamedTuple):
    """What an export holds about one radiograph; ``key`` is empty where the task does not say which."""

    key: str
    result: list[Any] | UnusableMask


def label_studio_interface(labels: Mapping[str, int]) -> str:
    """The XML text for a project's Labeling Interface > Code."""
    values = "".join(f'    <Label value="{html.escape(label)}"/>\n' for label, code in labels.items() if code)
    return (
        f'<View>\n  <Image name="{_TO}" value="$image" zoom="true"/>\n'
        f'  <PolygonLabels name="{_FROM}" toName="{_TO}">\n{values}  </PolygonLabels>\n</View>\n'
    )


def label_studio_task(
    key: str, url: str, mask: np.ndarray, labels: Mapping[str, int], tolerance_px: float
) -> dict[str, Any]:
    """One task, plain values for a JSON list of them.

    Args:
        key: the radiograph's id.
        url: where Label Studio finds the picture.
        mask: (H, W) uint8 of codes, the prediction; an empty one is none.
        labels: codes of the labels.
        tolerance_px: see `boneage_kedro.masks.drawn.polygons.mask_to_polygons`.
    """
    polygons = labelled_polygons(mask, labels, tolerance_px)
    result = [_result(f"{key}-{i}", *drawn, mask.shape) for i, drawn in enumerate(polygons)]
    predictions = [{"model_version": "proposal", "result": result}] if result else []
    return {"data": {"image": url, _ID: key}, "predictions": predictions}


def read_export(content: bytes, name: str) -> Iterator[Answer]:
    """The answers in what Label Studio exports as JSON, tasks without an annotation left out.

    Of several annotations of one task the last counts, of those not skipped.

    Raises:
        UnusableMask: the file is none; what is wrong with one task is in its answer instead.
    """
    try:
        tasks = parse_json(content)
        if not isinstance(tasks, list):
            raise UnusableMask("is not a list of tasks; export them from Label Studio as JSON, not JSON-MIN")
    except UnusableMask as error:
        raise UnusableMask(f"{name}: {error}") from error
    for number, task in enumerate(tasks, start=1):
        answer = _answer(task, f"{name}, task {number}")
        if answer is not None:
            yield answer


def result_to_mask(
    result: list[Any], name: str, labels: Mapping[str, int], source_shape: tuple[int, int]
) -> np.ndarray:
    """The polygons of one answer as a mask (rows, columns) uint8; arguments and errors as in `read_labelme`."""
    try:
        return _draw(result, labels, source_shape)
    except UnusableMask as error:
        raise UnusableMask(f"{name}: {error}") from error


def _result(name: str, label: str, points: np.ndarray, shape: tuple[int, int]) -> dict[str, Any]:
    percent = (100 * points / shape[::-1]).round(4)
    return {
        "id": name,
        "from_name": _FROM,
        "to_name": _TO,
        "type": _KIND,
        "original_width": shape[1],
        "original_height": shape[0],
        "image_rotation": 0,
        "value": {"points": percent.tolist(), _KIND: [label], "closed": True},
    }


def _answer(task: Any, name: str) -> Answer | None:
    key = ""
    try:
        key = pick(pick(task, "data", dict), _ID, str)
        annotations = pick(task, "annotations", list)
        done = [a for a in annotations if not (isinstance(a, dict) and a.get("was_cancelled"))]
        return Answer(key, pick(done[-1], "result", list)) if done else None
    except UnusableMask as error:
        return Answer(key, UnusableMask(f"{name}: {error}"))


def _draw(result: list[Any], labels: Mapping[str, int], source_shape: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(source_shape, np.uint8)
    for item in result:
        region = _polygon(item, source_shape)
        mask[region] = _code(item["value"], labels)
    if not mask.any():
        raise UnusableMask("has no polygons that cover a pixel; draw them, or skip the task")
    return mask


def _code(value: dict[str, Any], labels: Mapping[str, int]) -> int:
    names = pick(value, _KIND, list)
    if len(names) != 1:
        raise UnusableMask(f"has a polygon with the labels {names}, but it needs one; choose it")
    return codes_of([str(names[0])], labels)[0]


def _polygon(item: Any, source_shape: tuple[int, int]) -> np.ndarray:
    """The pixels of one item, bool."""
    kind = pick(item, "type", str)
    if kind != _KIND:
        raise UnusableMask(f"has a shape of kind '{kind}'; only '{_KIND}' is read, draw polygons")
    if item.get("image_rotation"):
        raise UnusableMask("is drawn on a turned picture; turn it back, the shapes follow")
    check_picture_size(item.get("original_width"), item.get("original_height"), source_shape)
    percent_px = source_shape[1] / 100, source_shape[0] / 100
    points = read_points(pick(pick(item, "value", dict), "points", list), 3, source_shape, percent_px)
    return polygons_to_mask([points], source_shape)
