"""Dense tasks on OpenMMLab; only this package imports mmcv, mmseg and mmdet."""
