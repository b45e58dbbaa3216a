/** Bounds what processes may use of a core, by the kernel's control groups: a small machine then holds several small ones. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PERIOD_US = 100_000;
const V1 = '/sys/fs/cgroup/cpu';
const V2 = '/sys/fs/cgroup';

/** A group of processes, all of whose threads together get this share of a core. */
export class CpuShare {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Null where control groups are not there, or not ours to make. */
  static make(name: string, share: number): CpuShare | null {
    const isV1 = existsSync(join(V1, 'cpu.cfs_quota_us')) || existsSync(join(V1, 'cgroup.procs'));
    const folder = join(isV1 ? V1 : V2, `tertulia-bench-${process.pid}-${name}`);
    const quota = String(Math.round(share * PERIOD_US));
    try {
      mkdirSync(folder);
      if (isV1) writeFileSync(join(folder, 'cpu.cfs_quota_us'), quota);
      else writeFileSync(join(folder, 'cpu.max'), `${quota} ${PERIOD_US}`);
    } catch {
      if (existsSync(folder)) rmdirSync(folder);
      return null;
    }
    return new CpuShare(folder);
  }

  /** Bounds a process and what it starts from now on. */
  add(pid: number): void {
    writeFileSync(join(this.#folder, 'cgroup.procs'), String(pid));
  }

  /** Once its processes have ended. */
  remove(): void {
    rmdirSync(this.#folder);
  }
}
