/** A time during which something was broken, and which node it concerned. */
export interface Window {
  readonly from: number;
  readonly to: number;
  readonly node: string | null;
}

/** Does something, and notes how long it took. */
export async function noteWindow(windows: Window[], node: string | null, work: () => Promise<void>): Promise<void> {
  const from = performance.now();
  await work();
  windows.push({ from, to: performance.now(), node });
}

/** Whether something was broken then, for any of these nodes. */
export function isWithin(windows: readonly Window[], at: number, nodes: readonly string[] = []): boolean {
  return windows.some(({ from, to, node }) => at >= from && at <= to && (node === null || nodes.includes(node)));
}
