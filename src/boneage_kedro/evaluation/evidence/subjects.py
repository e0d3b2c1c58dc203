"""All sections of the evidence, in the order of the page."""

from boneage_kedro.evaluation.evidence import ages, baseline, cohort, forearm, hands, phalanges, transfer
from boneage_kedro.evaluation.evidence.subject import Subject

SUBJECTS: tuple[Subject, ...] = (
    ages.ERRORS,
    ages.BANDS,
    ages.AGREEMENT,
    ages.INTERVALS,
    transfer.ABLATION,
    transfer.STRATEGIES,
    transfer.METHODS,
    baseline.BONET,
    ages.ATTENTION,
    baseline.STRESS,
    hands.MASKS,
    hands.RULES,
    hands.ENHANCEMENT,
    hands.ENHANCERS,
    hands.GUARD,
    phalanges.STUDY,
    phalanges.CRF,
    phalanges.MASKS,
    forearm.MASKS,
    forearm.NETWORKS,
    cohort.DATA,
)
TABLES = tuple(
    dict.fromkeys(
        name for subject in SUBJECTS for name in (*subject.needs, *subject.uses) if name != cohort.PARTS
    )
)
"""What runs may have left, by the names of the catalog."""
FIGURES = tuple(dict.fromkeys(name for subject in SUBJECTS for name in subject.figures))
