"""Checkers of the fixtures of the official PRIOR (entry point ``prior_bench.parity``)."""

from __future__ import annotations

from prior_bench.parity.checker import Checker
from prior_bench.prior.parity import parts, stages


def checkers() -> dict[str, Checker]:
    """Return the checkers by fixture."""
    # ReLU and |x| have kinks. In stage 3, the image decoder changes float32 gradients of weights by 5e-3 to
    # 8e-3 if the inputs change by one unit in the last place; "all_fixed" is from the other side of a kink.
    kinks = {"grad.*": 1e-3}
    deep_kinks = {**kinks, "grad.*.w.image_decoder.*": 1e-2, "grad.*.w.local_cross_attention.*": 1e-2}
    key_bias = ("*.k_proj.bias", "*.key.bias")  # adds the same value to all scores of a softmax
    return {
        "sentence_gather_avg": Checker(parts.sentence_gather),
        "sentence_attention_pool": Checker(parts.sentence_attention_pool, zeros=key_bias),
        "image_attention_pool2d": Checker(parts.image_attention_pool),
        "local_feature_layout": Checker(parts.local_feature_layout),
        "global_alignment": Checker(parts.global_alignment),
        "local_cross_attention": Checker(parts.local_cross_attention),
        "local_alignment": Checker(parts.local_alignment),
        "spb": Checker(parts.sentence_bank),
        "sentence_decoder": Checker(parts.sentence_decoder),
        "recon_image": Checker(parts.image_reconstruction, float32=kinks),
        "spg_loss": Checker(parts.report_reconstruction),
        "stage1": Checker(stages.stage, zeros=key_bias),
        "stage2": Checker(stages.stage, zeros=key_bias),
        "stage3": Checker(stages.stage, float32=deep_kinks, zeros=key_bias),
        "zero_shot": Checker(stages.zero_shot),
    }
