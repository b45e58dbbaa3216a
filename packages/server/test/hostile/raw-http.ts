import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** Sends bytes as they are and answers all that comes back until the server has closed the connection. */
export async function exchangeHttp(url: string, request: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(url);
  const connection = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  connection.write(request);
  const answer = await text(connection).catch((error: NodeJS.ErrnoException) => `reset: ${error.code}`);
  connection.destroy();
  return answer;
}
