"""A Slurm of the test's own on this machine: two nodes with two fake GPUs each, on the loopback.

The GPUs are null devices: Slurm hands them out and sets ``CUDA_VISIBLE_DEVICES``, and nothing opens them.
There is no accounting, as on many small clusters. Debian has it all in the packages slurmctld, slurmd,
slurm-client and munge, whose own services need not run.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "squeue", "scontrol", "scancel")
NODES, GPUS = ("n1", "n2"), 2


def why_not() -> str:
    """Why Slurm cannot be started here; empty if it can."""
    if not hasattr(os, "getuid") or os.getuid() != 0:
        return "Slurm's daemons need root"
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    try:
        pwd.getpwnam("munge")
    except KeyError:
        return "there is no user munge"
    return ""


class RealSlurm:
    """The daemons, as children of this process; a context manager."""

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.daemons: list[subprocess.Popen] = []
        self.environment = {"SLURM_CONF": str(self.root / "slurm.conf")}

    def __enter__(self):
        self.root.chmod(0o755)  # munge is another user
        for name in ("state", "spool", "log", "dev", "munge"):
            (self.root / name).mkdir()
        try:
            self._munge()
            self._configure()
            self._start("slurmctld", "-D", "-i")
            for node in NODES:
                (self.root / "spool" / node).mkdir()
                self._start("slurmd", "-D", "-N", node)
            self._wait_for_nodes()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        try:
            self.run("scancel", "--user=root", check=False)
            until = time.monotonic() + 45
            while time.monotonic() < until and self.run("squeue", "--noheader", check=False).strip():
                time.sleep(0.5)
        except (OSError, subprocess.SubprocessError):
            pass
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in reversed(self.daemons):
            try:
                daemon.wait(timeout=10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self, *command, check=True):
        """What a command prints."""
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=60
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def states(self):
        """The jobs in the queue, by number: state and reason."""
        lines = self.run("squeue", "--noheader", "--array", "--format=%i|%T|%r").splitlines()
        return {number: (state, reason) for number, state, reason in (line.split("|") for line in lines)}

    def logs(self):
        """The ends of the daemons' logs, for messages."""
        return "\n".join(f"{log.name}: {log.read_text()[-1500:]}" for log in self.root.glob("log/*"))

    def _start(self, *command, **how):
        with open(self.root / "log" / f"{len(self.daemons)}-{command[0]}", "w") as log:
            self.daemons.append(
                subprocess.Popen(
                    command, env={**os.environ, **self.environment}, stdout=log, stderr=log, **how
                )
            )

    def _munge(self):
        folder = self.root / "munge"
        (folder / "key").write_bytes(os.urandom(1024))
        for place, mode in ((folder, 0o755), (folder / "key", 0o600)):
            shutil.chown(place, "munge", "munge")
            place.chmod(mode)
        names = {"key-file": "key", "socket": "socket", "pid-file": "pid", "seed-file": "seed"}
        options = [f"--{option}={folder / name}" for option, name in names.items()]
        self._start(
            "munged", "--foreground", "--force", *options, user="munge", group="munge", extra_groups=[]
        )
        _until(lambda: (folder / "socket").exists(), 20, "munged did not start")

    def _configure(self):
        ports = _free_ports(1 + len(NODES))
        settings = {
            "ClusterName": "test",
            "CommunicationParameters": "NoInAddrAny,NoCtldInAddrAny",
            "SlurmctldHost": f"{socket.gethostname()}(127.0.0.1)",
            "SlurmctldPort": ports[0],
            "SlurmUser": "root",
            "SlurmdUser": "root",
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={self.root / 'munge/socket'},cred_expire=5",  # a requeued job waits for it
            "CredType": "cred/munge",
            "StateSaveLocation": self.root / "state",
            "SlurmdSpoolDir": self.root / "spool/%n",
            "SlurmctldPidFile": self.root / "slurmctld.pid",
            "SlurmdPidFile": self.root / "slurmd-%n.pid",
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "JobAcctGatherType": "jobacct_gather/none",
            "AccountingStorageType": "accounting_storage/none",
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_Core",
            "SchedulerParameters": "sched_interval=2,bf_interval=2,batch_sched_delay=0,defer=0",
            "PriorityType": "priority/basic",
            "MpiDefault": "none",
            "SwitchType": "switch/none",
            "KillWait": 5,
            "ReturnToService": 2,
            "SlurmdParameters": "config_overrides",
            "GresTypes": "gpu",
            "PropagateResourceLimits": "NONE",
        }
        lines = [f"{name}={value}" for name, value in settings.items()]
        gpus = []
        for node, port in zip(NODES, ports[1:], strict=True):
            lines.append(
                f"NodeName={node} NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 Port={port} "
                f"CPUs=2 RealMemory=4000 Gres=gpu:{GPUS} State=UNKNOWN"
            )
            for number in range(GPUS):
                os.mknod(self.root / "dev" / f"{node}-gpu{number}", 0o020666, os.makedev(1, 3))
            gpus.append(
                f"NodeName={node} Name=gpu File={self.root}/dev/{node}-gpu[0-{GPUS - 1}] AutoDetect=off"
            )
        lines.append("PartitionName=main Nodes=ALL Default=YES MaxTime=UNLIMITED State=UP")
        (self.root / "slurm.conf").write_text("\n".join([*lines, ""]))
        (self.root / "gres.conf").write_text("\n".join([*gpus, ""]))
        (self.root / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nConstrainDevices=no\n")

    def _wait_for_nodes(self):
        def idle():
            told = self.run("sinfo", "--noheader", "--Node", "--format=%T", check=False)
            return told.split().count("idle") == len(NODES)

        try:
            _until(idle, 60, "the nodes did not come up")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None


def _free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _until(true, seconds, otherwise):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, otherwise
        time.sleep(0.1)
