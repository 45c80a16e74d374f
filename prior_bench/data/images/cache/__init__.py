"""The image cache: radiographs of many megapixels, decoded and reduced once, read fast ever after.

``build`` makes it, ``image_cache`` is what is stored on disk, ``shard`` one file of it, ``reading`` how
:func:`prior_bench.data.images.read.read_image` gets at it, ``reference`` how a data reference with
``cache=SIZE`` becomes a manifest whose images, boxes and masks are those of the cache.
"""
