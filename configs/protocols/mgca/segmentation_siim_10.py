"""MGCA's segmentation on SIIM-ACR Pneumothorax with 10 % of the labels: docs/protocols/mgca.md.

prior-bench run mgca_segmentation --only protocol=mgca/segmentation_siim_10
"""

_base_ = ["./segmentation_siim.py"]

# run_seg_finetune.sh gives this run another seed than all others
protocol = dict(fraction_sampler=dict(seed=0))
