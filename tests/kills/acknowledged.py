"""What people were told is written: kept by whoever was told, or printed by a process that may
die, and read back by the harness.

A line is `lead ID` or `task ID RECORD`; one cut short by a kill may count or not.
"""

from dataclasses import dataclass, field


@dataclass
class Acknowledged:
    """What a process was told is written, and what a file was to bring."""

    leads: set[int] = field(default_factory=set)
    tasks: dict[int, int | None] = field(default_factory=dict)  # task -> what came of it
    file_rows: set[str] = field(default_factory=set)  # external ids

    def read(self, printed: str) -> None:
        """Take over what a process has printed with `lead_written` and `task_done`."""
        for line in printed.splitlines(keepends=True):
            words = line.split()
            if not line.endswith("\n") or not words:
                continue
            if words[0] == "lead":
                self.leads.add(int(words[1]))
            elif words[0] == "task":
                self.tasks[int(words[1])] = None if words[2] == "None" else int(words[2])


def lead_written(lead: int) -> None:
    """Say so, for whoever reads what this process prints."""
    print(f"lead {lead}", flush=True)


def task_done(task: int, record: int | None) -> None:
    """Likewise; record: what came of the task."""
    print(f"task {task} {record}", flush=True)
