"""prior-bench: PRIOR, its baselines, and one benchmark for medical vision-language backbones.

Importing this package has no effects and imports neither torch nor an OpenMMLab library.
"""

__version__ = "0.1.0"
