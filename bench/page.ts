/** One figure, measured side by side: medians and their ratio are shown, with the spread of the ratios. */
export interface Row {
  readonly figure: string;
  readonly unit: string;
  readonly bare: readonly number[];
  readonly ours: readonly number[];
  /** The ratio we mean to hold. */
  readonly target?: number;
  /** The ratio that it is to reach. */
  readonly least?: number;
}

/** The page of results, as Markdown. */
export function page(rows: readonly Row[], about: { machine: string; node: string; date: string }): string {
  return `# Benchmarks

Made by \`npm run bench -- --write\` on ${about.date}: ${about.machine}, Node ${about.node}. The server runs on one core,
the load on another. Absolute figures are this machine's; the ratios come from runs that took turns, and are what to
compare. "Bare" is \`bench/bare-server.ts\`: Socket.IO on the same Node that echoes without token, database or promise; in
the storage rows it is the small conversation, in the catch-up row the read, in the cross-node row a hearer on the same
node, in the rows of two nodes one of them alone.
Medians; in brackets the lowest and highest ratio of a round.

| figure | bare | Tertulia | ratio | target |
| --- | --- | --- | --- | --- |
${rows.map(line).join('\n')}

## Why an exchange costs more than its target

The bare server reads one frame and writes two. A durable exchange does that as well, and besides: two commits with an
fsync each, a message row, a task with its claim and its end, two log events under unique indexes, their way to the
writing thread and back, and an assistant's run. SQLite's part alone, measured above without any server around it, is
more than what the target leaves beside the bare server's own work. A profile of the main thread is flat: after the socket library the largest entries are
the crossing to the writing thread, the log line of each chat, and garbage collection. What was tried and kept: one row
for a message instead of two, ids and rows laid out so that what commits together lies together, batches that cross as
JSON, one write for many log lines, one clock for all runs. What was left alone: writing the log without an index for
lists of tasks, which would make those lists slow, and giving up \`synchronous=FULL\`, which would break the first promise.
With few exchanges under way, commits are shared by fewer and each costs more.
`;
}

function line({ figure, unit, bare, ours, target, least }: Row): string {
  const ratios = ours.map((value, index) => value / (bare[index] ?? 1)).toSorted((a, b) => a - b);
  const spread = ratios.length > 1 ? ` (${(ratios[0] ?? 0).toFixed(2)} to ${(ratios.at(-1) ?? 0).toFixed(2)})` : '';
  const ratio = median(ours) / median(bare);
  const aims = [
    target === undefined ? '' : `≤ ${target}${ratio <= target ? '' : ', missed'}`,
    least === undefined ? '' : `≥ ${least}${ratio >= least ? '' : ', missed'}`,
  ];
  const aim = aims.join('');
  return `| ${figure} | ${show(median(bare))} ${unit} | ${show(median(ours))} ${unit} | ${ratio.toFixed(2)}${spread} | ${aim} |`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function show(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
