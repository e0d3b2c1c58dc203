"""Levels of stress for tests, every kind, about as many as Santomartino 2024; and how pictures are prepared."""

from boneage_kedro.imaging.changes.stress import StressSettings
from boneage_kedro.imaging.preparation.prepare import PreparationSettings

SETTINGS: StressSettings = {
    "seed": 7,
    "rotation_deg": [-20.0, -10.0, 10.0, 20.0, 45.0, 90.0, 180.0, 270.0],
    "flip": ["horizontal", "vertical"],
    "inversion": True,
    "laterality": True,
    "brightness": [-0.3, -0.15, 0.15, 0.3],
    "contrast": [0.5, 1.5, 2.0],
    "gamma": [0.6, 1.6],
    "clip_limit": [2.0, 4.0],
    "resolution": [0.5, 0.25, 0.125],
    "width": [0.75, 1.33],
    "marker": [0.06, 0.15],
    "text_lines": [4],
    "noise": [0.05, 0.15],
    "blur": [0.004],
    "jpeg_quality": [15],
    "cut_top": [0.05],
    "cut_bottom": [0.1, 0.2],
    "cut_sides": [0.1],
    "black_frame": [0.1],
    "white_frame": [0.05],
}
AS_SHIPPED: PreparationSettings = {
    "canvas_px": 192,
    "low_percentile": 1,
    "high_percentile": 99.9,
    "fix_polarity": True,
    "crop": True,
    "orient": True,
    "confidence": 0.98,
}
