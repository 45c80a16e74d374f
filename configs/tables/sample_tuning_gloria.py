"""GLoRIA's choices on the validation cohort, with three seeds.

prior-bench table sample_tuning_gloria
"""

_base_ = "sample_tuning.py"

title = "GLoRIA's choices on the validation cohort of the sample benchmark"
suite = "sample_tuning_gloria"
