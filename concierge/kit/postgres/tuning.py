"""Server settings for a product that shares one small machine with its own Python processes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Docker gives /dev/shm 64 MB by default; a parallel index build asks for more and fails there.
ROOMY_SHARED_MEMORY_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PostgresTuning:
    """Sizes are PostgreSQL's own spelling (`64MB`). The defaults keep an idle server below 100 MB."""

    shared_buffers: str = "192MB"  # Memory is taken as pages are read: room for the indexes of 50,000 chunks.
    effective_cache_size: str = "512MB"
    work_mem: str = "8MB"
    maintenance_work_mem: str = (
        "128MB"  # Taken only while an index is built; an HNSW graph wants to fit in it.
    )
    autovacuum_work_mem: str = "16MB"
    max_wal_size: str = "512MB"
    max_connections: int = 60
    fsync: bool = True  # False only for tests: a power cut may then corrupt the data.
    recovery_patience_s: float = 120.0  # Longest wait for a server that says it is recovering.
    shutdown_patience_s: float = 60.0  # Longest wait for a checkpoint at shutdown before it is forced.


def settings(tuning: PostgresTuning, socket_dir: Path) -> Mapping[str, str]:
    """The complete postgresql.conf: what it does not name stays at PostgreSQL's default."""
    durable = "on" if tuning.fsync else "off"
    return {
        "listen_addresses": "",
        "unix_socket_directories": quoted_item(str(socket_dir)),
        "unix_socket_permissions": "0700",
        "max_connections": str(tuning.max_connections),
        "shared_buffers": tuning.shared_buffers,
        "effective_cache_size": tuning.effective_cache_size,
        "work_mem": tuning.work_mem,
        "maintenance_work_mem": tuning.maintenance_work_mem,
        "autovacuum_work_mem": tuning.autovacuum_work_mem,
        "autovacuum_max_workers": "2",
        "dynamic_shared_memory_type": "posix" if has_roomy_shared_memory() else "mmap",
        "huge_pages": "off",
        "io_method": "sync",  # The default keeps three more processes alive for reads that are in memory anyway.
        "max_worker_processes": "4",
        "max_parallel_workers": "2",
        "max_parallel_maintenance_workers": "2",
        "wal_level": "minimal",  # Nothing replicates from here, and bulk loads write half as much.
        "max_wal_senders": "0",
        "hot_standby": "off",  # A server that still recovers answers nobody, instead of answering read-only.
        "max_logical_replication_workers": "0",
        "max_wal_size": tuning.max_wal_size,
        "min_wal_size": "48MB",
        "wal_compression": "on",
        "checkpoint_timeout": "10min",
        "fsync": durable,
        "synchronous_commit": durable,
        "full_page_writes": durable,
        "jit": "off",  # Compiling a query costs more than any query of ours takes.
        "random_page_cost": "1.1",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "datestyle": "iso, ymd",
        "lc_messages": "C",  # The supervisor reads the server's refusals.
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_checkpoints": "off",
        "log_lock_waits": "on",
        "log_autovacuum_min_duration": "10s",
    }


def render(tuning: PostgresTuning, socket_dir: Path) -> str:
    lines = ["# Written at every start; use ALTER SYSTEM for lasting changes of your own."]
    lines += [f"{name} = {quoted(value)}" for name, value in settings(tuning, socket_dir).items()]
    return "\n".join(lines) + "\n"


def quoted_item(item: str) -> str:
    """One item of a setting that is a list: quoted, a comma or blank belongs to it."""
    escaped = item.replace('"', '""')
    return f'"{escaped}"'


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def has_roomy_shared_memory(path: Path = Path("/dev/shm")) -> bool:  # noqa: S108  # Where POSIX shared memory lives.
    try:
        figures = os.statvfs(path)
    except OSError:
        return False
    return figures.f_frsize * figures.f_blocks >= ROOMY_SHARED_MEMORY_BYTES
