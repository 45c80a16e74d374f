"""MGCA: multi-granularity cross-modal alignment of radiographs and reports (Wang et al., NeurIPS 2022)."""

from .model import MGCA

__all__ = ["MGCA"]
