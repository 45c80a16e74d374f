"""The image cache: radiographs of many megapixels are decoded and reduced once, and then read quickly.

``build`` makes a cache, ``image_cache`` represents the folder on disk and ``shard`` one file of it.
``reading`` serves :func:`prior_bench.data.images.read.read_image`, ``sequential`` reads shard by shard, and
``reference`` turns a data reference with ``cache=SIZE`` into a manifest with the cached images, boxes and
masks.
"""
