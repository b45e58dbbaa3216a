/** One figure, measured side by side: medians and their ratio are shown, with the spread of the ratios. */
export interface Row {
  readonly figure: string;
  readonly unit: string;
  readonly bare: readonly number[];
  readonly ours: readonly number[];
  /** The ratio we mean to hold. */
  readonly target?: number;
}

/** The page of results, as Markdown. */
export function page(rows: readonly Row[], about: { machine: string; node: string; date: string }): string {
  return `# Benchmarks

Made by \`npm run bench -- --write\` on ${about.date}: ${about.machine}, Node ${about.node}. The server runs on one core,
the load on another. Absolute figures are this machine's; the ratios come from runs that took turns, and are what to
compare. "Bare" is \`bench/bare-server.ts\`: Socket.IO on the same Node that echoes without token, database or promise; in
the storage rows it is the small conversation. Medians; in brackets the lowest and highest ratio of a round.

| figure | bare | Tertulia | ratio | target |
| --- | --- | --- | --- | --- |
${rows.map(line).join('\n')}
`;
}

function line({ figure, unit, bare, ours, target }: Row): string {
  const ratios = ours.map((value, index) => value / (bare[index] ?? 1)).toSorted((a, b) => a - b);
  const spread = ratios.length > 1 ? ` (${(ratios[0] ?? 0).toFixed(2)} to ${(ratios.at(-1) ?? 0).toFixed(2)})` : '';
  const ratio = median(ours) / median(bare);
  const aim = target === undefined ? '' : `≤ ${target}${ratio <= target ? '' : ', missed'}`;
  return `| ${figure} | ${show(median(bare))} ${unit} | ${show(median(ours))} ${unit} | ${ratio.toFixed(2)}${spread} | ${aim} |`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function show(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
