"""Masks of the hand and its enhancement, beside figures 8 to 10 of paper 001."""

import pandas as pd

from boneage_kedro.evaluation.evidence.subject import Found, Subject
from boneage_kedro.evaluation.report import Basis, Column, Table

_SEEDS = "± standard deviation over seeds"


def scores_table(name: str, source: str, summary: pd.DataFrame) -> Table:
    """Scores of masks on the test part: ``measure, cases, mean, sd, low, high``, a row a measure."""
    values = summary.rename(columns={end: f"mean_{end}" for end in ("sd", "low", "high")})
    return Table(
        name,
        "Scores on the test part, at the size of the radiographs",
        Basis(source, "of the test part, in the table", "one", "± sd and 95% bootstrap interval over hands"),
        values,
        (Column("measure", "measure"), Column("cases", "cases"), Column("mean", "mean", "{:.3f}")),
    )


def tested_cases(summary: pd.DataFrame) -> str:
    """How many cases a study was tested on; one from before that was kept does not say."""
    return (
        f"{summary['cases'].max()} of the test part"
        if "cases" in summary
        else "of the test part, not counted"
    )


def _masks(source: str, found: Found) -> list[Table]:
    return [scores_table("hand_masks", source, found["hand_summary"])]


def _rules(source: str, found: Found) -> list[Table]:
    summary = found["hand_study_summary"]
    basis = Basis(source, tested_cases(summary), f"{summary['seeds'].max()} seeds each", _SEEDS)
    columns = (
        Column("arm", "rule of asking"),
        Column("labels", "masks"),
        Column("test_dice", "Dice", "{:.4f}"),
    )
    return [Table("hand_rules", "Dice of the committee over the number of masks", basis, summary, columns)]


def _enhancement(source: str, found: Found) -> list[Table]:
    pairs = found["pair_quality"][["method", "images", "psnr", "ssim"]].rename(columns={"images": "pairs"})
    if "hand_tone" in found:
        tone = found["hand_tone"][["method", "images", "mean_sd", "contrast_sd"]]
        tone = tone.rename(
            columns={"images": "hands", "mean_sd": "spread_mean", "contrast_sd": "spread_contrast"}
        )
        pairs = pairs.merge(tone, on="method", how="left")
    columns = (
        Column("method", "method"),
        Column("pairs", "pairs with gold"),
        Column("psnr", "PSNR (dB)", "{:.1f}"),
        Column("ssim", "SSIM", "{:.3f}"),
        Column("hands", "hands"),
        Column("spread_mean", "spread of the mean gray", "{:.4f}"),
        Column("spread_contrast", "spread of the contrast", "{:.4f}"),
    )
    basis = Basis(source, "of the test part, in the table", "one", "of gray: standard deviation over hands")
    return [Table("enhancement", "Nearness to the gold, and how even the tone is", basis, pairs, columns)]


def _enhancers(source: str, found: Found) -> list[Table]:
    figures = ("psnr", "ssim", "kept")
    names = {f"{figure}_over_seeds": f"{figure}_sd" for figure in figures}
    summary = found["gan_study_summary"].rename(columns=names)
    basis = Basis(source, "of the test part, in the table", "by seeds, in the table", _SEEDS)
    columns = (
        Column("arm", "method"),
        Column("seeds", "seeds"),
        Column("pairs", "pairs with gold", "{:.0f}"),
        Column("psnr", "PSNR (dB)", "{:.1f}"),
        Column("ssim", "SSIM", "{:.3f}"),
        Column("hands", "hands", "{:.0f}"),
        Column("kept", "passed by the guard", "{:.0%}"),
    )
    return [Table("enhancers", "What the parts of the GAN are worth", basis, summary, columns)]


def _guard(source: str, found: Found) -> list[Table]:
    columns = (
        Column("kind", "kind"),
        Column("name", "change"),
        Column("enhanced_by", "picture by"),
        Column("limits", "limits"),
        Column("pictures", "pictures"),
        Column("fired", "fired", "{:.0%}"),
        Column("auc", "AUC", "{:.3f}"),
    )
    basis = Basis("phantoms", "in the table", "none", "none")
    return [Table("guard", "How often the guard fires", basis, found["guard_rates"], columns)]


MASKS = Subject(
    "Hand masks",
    "By a committee that asks for the masks worth drawing.",
    _masks,
    ("hand_summary",),
    "hand_active_learning",
    figures={
        "hand_curve": "Curve: Dice and disagreement over the number of masks",
        "hand_sheet": "Hands with the outlines that were found",
        "cut_hands": "Hands as they were cut out",
    },
    papers=("active_learning",),
)
RULES = Subject(
    "What the rule of asking is worth",
    "",
    _rules,
    ("hand_study_summary",),
    "hand_study",
    figures={"hand_study_curve": "Curves: Dice over the number of masks, a line a rule"},
    papers=("active_learning",),
)
ENHANCEMENT = Subject(
    "One contrast for every hand",
    "",
    _enhancement,
    ("pair_quality",),
    "hand_active_learning,gan_enhance",
    uses=("hand_tone",),
    figures={
        "enhancement_sheet": "Hands as they came, by plain methods, enhanced, and the gold",
        "tone_spread": "Points: mean gray and contrast of hands by each method",
    },
    papers=("enhancement",),
)
ENHANCERS = Subject(
    "Losses and discriminators of the enhancer",
    "",
    _enhancers,
    ("gan_study_summary",),
    "hand_active_learning,gan_enhance,gan_study",
)
GUARD = Subject(
    "Whether the guard sees inventions",
    "Inventions are planted in phantoms, whatever the data of this page.",
    _guard,
    ("guard_rates",),
    "hand_active_learning,gan_enhance,guard_study",
)
