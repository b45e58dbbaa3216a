/** The NODE_ID of a worker: that of its machine, by which a load balancer finds it, a dot, which no NODE_ID has, and its number. */
export function workerName(nodeId: string, number: number): string {
  return `${nodeId}.w${number}`;
}
