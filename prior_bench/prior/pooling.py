"""Attention pooling of a report's sentences into one vector."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.prior.sentences import masked_mean


class SentenceAttentionPool(nn.Module):
    """Attention pool, in which the mean sentence attends to itself and to every sentence of a report.

    It gives PRIOR's global text embedding. It is like CLIP's attention pool, but without position embedding,
    because the sentences of a report have no order.

    Args:
        dim: D.
        heads: attention heads; must divide ``dim``.
    """

    def __init__(self, dim: int, heads: int = 8):
        super().__init__()
        self.heads = heads
        for name in ("k_proj", "q_proj", "v_proj", "c_proj"):
            layer = nn.Linear(dim, dim)
            nn.init.normal_(layer.weight, std=dim**-0.5)
            setattr(self, name, layer)

    k_proj: nn.Linear
    q_proj: nn.Linear
    v_proj: nn.Linear
    c_proj: nn.Linear

    def forward(self, sentences: Tensor, mask: Tensor) -> Tensor:
        """Pool sentences [B, S, D] with their mask, bool [B, S], to [B, D]."""
        mean = masked_mean(sentences, mask)[:, None]
        keys = torch.cat([mean, sentences], dim=1)  # [B, 1 + S, D]
        visible = F.pad(mask, (1, 0), value=True)[:, None, None, :]
        query, key, value = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer, x in ((self.q_proj, mean), (self.k_proj, keys), (self.v_proj, keys))
        )
        pooled = F.scaled_dot_product_attention(query, key, value, attn_mask=visible)  # [B, H, 1, D / H]
        return self.c_proj(pooled.flatten(1))
