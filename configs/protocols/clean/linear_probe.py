"""Linear probe: logistic regression on the frozen backbone's features.

prior-bench eval classification --backbone my.ckpt --data chexpert --protocol clean/linear_probe
"""

protocol = dict(
    task="classification",
    source="linear evaluation as in ConVIRT (arXiv 2010.00747) and GLoRIA (ICCV 2021), solved to its optimum",
    head=dict(type="logistic_regression", strengths=(1e-4, 1e-3, 1e-2, 1e-1, 1.0), max_iterations=1000),
    frozen=dict(backbone=True, batch_norm=True),
    stopping=dict(select="strength", on="valid", monitor="auroc"),
    metrics=("auroc", "auprc", "accuracy", "f1"),
    options=dict(threshold="validation_f1"),
)
