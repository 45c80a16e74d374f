"""Stand-ins for Slurm's programs: scripts that keep a queue as files and run nothing."""

import re
from pathlib import Path

SBATCH = """#!/bin/bash
[ -e "$FAKE_SLURM/refuse" ] && { cat "$FAKE_SLURM/refuse" >&2; exit 1; }
number=$(( $(cat "$FAKE_SLURM/last") + 1 ))
echo $number > "$FAKE_SLURM/last"
cp "$1" "$FAKE_SLURM/scripts/$number"
comment=$(sed -n "s/^#SBATCH --comment=//p" "$1" | tr -d "'")
last=$(sed -n "s/^#SBATCH --array='\\{0,1\\}0-\\([0-9]*\\)%.*/\\1/p" "$1")
state=PENDING; reason=Priority
grep -q "^#SBATCH --dependency" "$1" && reason=Dependency
jobs=$number
[ -z "$last" ] || jobs=$(seq -f "${number}_%g" 0 "$last")
for job in $jobs; do echo "$state||$reason|$comment" > "$FAKE_SLURM/queue/$job"; done
[ -e "$FAKE_SLURM/forget" ] && { echo "sbatch: error: Socket timed out" >&2; exit 1; }
echo "Submitted batch job $number"
"""
SQUEUE = """#!/bin/bash
cd "$FAKE_SLURM/queue"
[ "$2" = --jobs ] && { cut -d'|' -f1 "$3" 2>/dev/null; exit 0; }
for job in $(ls | sort -V); do echo "$job|$(cat "$job")"; done
"""
SCANCEL = """#!/bin/bash
for job in "$@"; do
    case $job in --*) continue ;; esac
    echo "$job" >> "$FAKE_SLURM/cancelled"
    rm -f "$FAKE_SLURM/queue/$job"
done
"""
SCONTROL = """#!/bin/bash
echo "$@" >> "$FAKE_SLURM/scontrol"
"""
PROGRAMS = {"sbatch": SBATCH, "squeue": SQUEUE, "scancel": SCANCEL, "scontrol": SCONTROL, "srun": ""}


class FakeSlurm:
    """The queue in a folder; its programs must be on the PATH, and FAKE_SLURM name the folder."""

    def __init__(self, root: Path):
        self.root, self.programs = root, root / "bin"
        for name in ("bin", "queue", "scripts"):
            (root / name).mkdir(parents=True)
        (root / "last").write_text("100")
        for name, text in PROGRAMS.items():
            (self.programs / name).write_text(text or "#!/bin/bash\n")
            (self.programs / name).chmod(0o755)

    def queue(self) -> list[str]:
        """Numbers of the jobs in the queue."""
        return sorted(path.name for path in (self.root / "queue").iterdir())

    def state(self, number: str, state: str, nodes: str = "") -> None:
        """Change the state of a job."""
        place = self.root / "queue" / number
        _, _, reason, comment = place.read_text().strip().split("|")
        place.write_text(f"{state}|{nodes}|{reason}|{comment}\n")

    def end(self, *numbers: str) -> None:
        """Let jobs leave the queue; without numbers, all."""
        for number in numbers or self.queue():
            (self.root / "queue" / number).unlink()

    def options(self, number: str) -> dict[str, str]:
        """The options of a script."""
        text = (self.root / "scripts" / number).read_text()
        found = re.findall(r"^#SBATCH --([a-z-]+)(?:=(.*))?$", text, re.M)
        return {name: value.strip("'") for name, value in found}

    def script(self, number: str) -> str:
        """The text of a script."""
        return (self.root / "scripts" / number).read_text()

    def lines(self, name: str) -> list[str]:
        """What a program has noted."""
        place = self.root / name
        return place.read_text().split("\n")[:-1] if place.exists() else []
