"""Cost of the image encoder: images per second, parameters, floating-point operations, memory.

prior-bench eval throughput --backbone my.ckpt --data chexpert --protocol clean/throughput
"""

protocol = dict(
    task="throughput",
    source="forward passes in evaluation mode, on random images of the encoder's input size",
    batch_size=32,
    metrics=("images_per_second", "parameters", "parameters_total", "gflops", "peak_memory_mb"),
    options=dict(warmup=3, repeats=20),
)
