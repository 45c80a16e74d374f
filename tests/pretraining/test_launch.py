import pytest

from prior_bench.errors import BenchError
from prior_bench.pretraining.launch import FIRST_PORT, PORTS, Launch, device_index, first_host, launched

JOB = dict(SLURM_JOB_ID="41", SLURM_NTASKS="4", SLURM_NNODES="2", SLURM_JOB_NODELIST="gpu[07-08]")
"""What a job of four tasks has in all its processes."""
TASK = dict(
    JOB,
    SLURM_STEP_ID="0",
    SLURM_STEP_NUM_TASKS="4",
    SLURM_STEP_NUM_NODES="2",
    SLURM_STEP_NODELIST="gpu[07-08]",
    SLURM_PROCID="3",
    SLURM_LOCALID="1",
)
"""What ``srun`` sets for the last of its tasks."""
TORCHRUN = dict(RANK="1", LOCAL_RANK="1", WORLD_SIZE="2", MASTER_ADDR="n1", MASTER_PORT="29500")


def test_alone():
    assert launched({}) is None
    assert launched({"WORLD_SIZE": "1", "RANK": "0"}) is None


def test_torchrun():
    assert launched(TORCHRUN) == Launch("torchrun", 1, 2, 1, "n1", 29500)


def test_a_task_of_a_slurm_step():
    assert launched(TASK) == Launch("slurm", 3, 4, 1, "gpu07", FIRST_PORT + 41 * 31)


def test_tasks_that_are_not_to_train_together():
    assert launched(TASK, slurm=False) is None
    assert launched(TORCHRUN, slurm=False) == launched(TORCHRUN)


def test_a_step_of_fewer_tasks_than_the_job():
    assert launched({**TASK, "SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}) is None
    two = {**TASK, "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1", "SLURM_STEP_ID": "5"}
    assert launched(two) == Launch("slurm", 1, 2, 1, "gpu07", FIRST_PORT + 41 * 31 + 5)


def test_an_older_slurm_without_the_number_of_tasks_of_a_step():
    old = {k: v for k, v in TASK.items() if not k.startswith("SLURM_STEP_N")}
    assert launched(old) == Launch("slurm", 3, 4, 1, "gpu07", FIRST_PORT + 41 * 31)


@pytest.mark.parametrize(
    "script",
    [
        JOB,
        {**JOB, "SLURM_PROCID": "0", "SLURM_LOCALID": "0"},
        {**JOB, "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_STEP_ID": "4294967291"},
        {**JOB, "SLURM_PROCID": "0", "SLURM_STEP_ID": "4294967290", "SLURM_STEP_NUM_TASKS": "1"},
    ],
    ids=["salloc", "batch", "batch step", "interactive step"],
)
def test_a_batch_script_or_shell_trains_alone(script):
    assert launched(script) is None


def test_torchrun_inside_a_slurm_step():
    assert launched({**TASK, **TORCHRUN}) == Launch("torchrun", 1, 2, 1, "n1", 29500)
    assert launched({**TASK, "WORLD_SIZE": "1"}) is None


def test_one_host_needs_no_name():
    assert launched({**TASK, "SLURM_STEP_NUM_NODES": "1"}).address == "127.0.0.1"


def test_address_and_port_can_be_given():
    given = launched({**TASK, "MASTER_ADDR": "10.0.0.7", "MASTER_PORT": "1234"})
    assert (given.address, given.port) == ("10.0.0.7", 1234)


def test_ports_of_jobs_and_steps_are_in_the_range():
    ports = [
        launched({**TASK, "SLURM_JOB_ID": str(job), "SLURM_STEP_ID": str(step)}).port
        for job in (1, 2, 10**9)
        for step in (0, 1)
    ]
    assert len(set(ports)) == 6 and all(FIRST_PORT <= port < FIRST_PORT + PORTS for port in ports)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE: is 'two'"),
        ({"WORLD_SIZE": "2", "RANK": "0"}, "LOCAL_RANK, MASTER_ADDR, MASTER_PORT are not set"),
        ({**TORCHRUN, "RANK": "2"}, "RANK: is 2, of 2 processes"),
        ({**TASK, "SLURM_PROCID": "-1"}, "SLURM_PROCID: is '-1'"),
        ({**TASK, "SLURM_STEP_NODELIST": "", "SLURM_JOB_NODELIST": ""}, "names no host"),
    ],
)
def test_what_makes_no_sense_is_refused(environment, said):
    with pytest.raises(BenchError, match=said):
        launched(environment)


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("n1", "n1"),
        ("n1,n2", "n1"),
        ("n[1-3,5],m7", "n1"),
        ("gpu[007-010]-ib", "gpu007-ib"),
        ("rack[2,4]n[05-06]", "rack2n05"),
        ("a.b.c,n[1-2]", "a.b.c"),
    ],
)
def test_the_first_host_of_a_list(nodes, first):
    assert first_host(nodes) == first


@pytest.mark.parametrize(("local", "visible", "index"), [(0, 1, 0), (1, 1, 0), (1, 2, 1), (5, 4, 1)])
def test_a_process_takes_a_gpu_that_it_sees(local, visible, index):
    assert device_index(local, visible) == index
