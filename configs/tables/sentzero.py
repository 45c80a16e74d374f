"""Zero-shot classification and grounding of nine methods (SentZero, Table 1).

The table was read in a text conversion of the paper. Its numbers are shares, so ours are shares here, too.
It states no split, so that no difference is computed.

prior-bench table sentzero --only-published
prior-bench table sentzero --with-published
"""

title = "Zero-shot classification and grounding, as SentZero lists them (splits not stated)"
suite = "*"

_paper = "SentZero (arXiv id not seen)"
_data_sets = [
    ("OpenI", "openi"),
    ("ChestX-ray14", "nih_chestxray14"),
    ("PadChest", "padchest"),
    ("ChestXDet10", "chestxdet10"),
    ("CheXpert", "chexpert"),
]
_zero_shot = [("zero_shot", *names, "AUROC", "auroc") for names in _data_sets]
_grounding = [
    ("grounding", *names, "pointing game accuracy", "pointing_game")
    for names in (("ChestXDet10", "chestxdet10"), ("MS-CXR", "ms_cxr"))
]
_groups = {"zero_shot": "Zero-shot classification (AUROC)", "grounding": "Grounding (pointing game)"}
columns = [
    dict(
        group=_groups[_task],
        label=_dataset,
        task=_task,
        data=_data,
        metric=_metric,
        scale=1,
        digits=3,
        published=dict(source_paper=_paper, family=_task, dataset=_dataset, metric=_theirs),
    )
    for _task, _dataset, _data, _theirs, _metric in _zero_shot + _grounding
]
