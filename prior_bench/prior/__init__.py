"""PRIOR (Cheng et al., ICCV 2023, arXiv 2307.12577)."""
