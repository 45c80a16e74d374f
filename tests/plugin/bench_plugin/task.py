"""The task: is the lamp on? Judged by the log loss, of which less is better."""

import numpy as np

from prior_bench.api import Metric, TaskResult, Work, by_name

LOG_LOSS = Metric("log_loss", "lower", "log loss", scale=1.0, digits=3, bounds=(0.0, None))


class Triage:
    """Probability that a lamp is on: the logistic function of the mean feature; nothing is trained."""

    name = "triage"
    version = 1
    needs_text = False
    needs = ("labels",)
    metrics = by_name((LOG_LOSS, Metric("hits", title="lamps found")))
    default_protocol = "plugin/triage"
    uses_labels = False
    predictions = ("class_scores", "probabilities")

    def check(self, data, protocol):
        """Everything fits."""

    def run(self, backbone, data, protocol, context):
        """One probability per test image."""
        from prior_bench.features.extract import extract

        test = data.split("test")
        feature = extract(backbone, test, context).mean(1, keepdims=True)
        predictions = {
            "id": test.table["id"].to_numpy(dtype=str),
            "patient_id": test.table["patient_id"].to_numpy(dtype=str),
            "score": 1 / (1 + np.exp(-feature)),
            "target": test.targets(),
            "meta_classes": np.array(data.labels),
        }
        return TaskResult(self.score(predictions, protocol.metrics), predictions, test.split_summary())

    def score(self, predictions, metrics):
        """Log loss, and the share of lamps that are on and found."""
        score, on = predictions["score"][:, 0].astype(float), predictions["target"][:, 0] == 1
        values = {
            "log_loss": float(-np.log(np.where(on, score, 1 - score)).mean()),
            "hits": float((score[on] > 0.5).mean()) if on.any() else float("nan"),
        }
        return {name: values[name] for name in metrics}

    def estimate(self, protocol, sizes, fraction):
        """As if an hour's worth of images were trained on."""
        return Work(trained=300 * 3600)


def protocol():
    """The fields of a protocol, as plain types."""
    return {"task": "triage", "source": "nobody", "metrics": ("log_loss", "hits")}
