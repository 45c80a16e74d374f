"""A cluster file to copy and to change. Its keys: docs/reference/config_keys.md, section "cluster".

prior-bench submit demo --cluster my_cluster.py --dry-run

Nothing of it is in the key of a result: the same suite on another cluster has the same keys.
"""

partition = "gpu"
account = None
setup = (
    # "module load cuda",
    # "source /shared/envs/prior-bench/bin/activate",
)
requeues = 20

# a pre-training: nodes x GPUs, one process per GPU
pretraining = dict(nodes=1, gpus_per_node=4, cpus=8, memory="128G", time="24h", workers=6)

# cells of one backbone on one GPU, together about 20 minutes
evaluation = dict(cpus=8, memory="32G", time="4h", workers=6, minutes_per_job=20, cells_per_job=4)

# tables and report, without a GPU
table = dict(cpus=2, memory="8G", time="1h")
