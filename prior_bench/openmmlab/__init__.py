"""The only place that imports mmcv, mmseg and mmdet."""
