"""The table of the study of the sample benchmark, with the comparisons that it is made for.

prior-bench table study
"""

_base_ = "demo.py"

title = "The study of the sample benchmark (synthetic data)"
suite = "study"
notes = []

_pretrained = ["ConVIRT", "GLoRIA", "MGCA", "PRIOR", "PRIOR, extended"]
comparisons = [
    dict(rows=_pretrained, against=["Random"]),
    dict(rows=["PRIOR", "PRIOR, extended"], against=["ConVIRT", "GLoRIA", "MGCA"]),
    dict(rows=["PRIOR, extended"], against=["PRIOR"]),
]
