import { join } from 'node:path';
import type { Siblings } from '../socket/sibling-sessions.ts';
import type { Beginning } from './messages.ts';
import type { PrimaryLink } from './primary-link.ts';
import { workerName } from './worker-name.ts';

/** The other workers, and where they hear what is passed on to them. */
export function siblingsOf(nodeId: string, { number, count, folder }: Beginning, link: PrimaryLink): Siblings {
  const pathOf = (one: number) => join(folder, `${one}.sock`);
  const others = Array.from({ length: count }, (_, index) => index + 1).filter((one) => one !== number);
  const paths = new Map(others.map((one) => [workerName(nodeId, one), pathOf(one)]));
  return {
    ownPath: pathOf(number),
    pathOf: (name) => paths.get(name) ?? null,
    drained: () => link.drained(),
  };
}
