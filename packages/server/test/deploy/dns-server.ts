import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A DNS server for a test. */
export interface DnsServer {
  /** What was asked for, in order. */
  readonly asked: readonly string[];
  readonly port: number;
  close(): void;
}

const HEADER_BYTES = 12;
/** A pointer to the question's name, type A, class IN, one second to live, four bytes. */
const ANSWER = Buffer.from('c00c00010001000000010004', 'hex');
const NO_SUCH_NAME = 3;

/** Serves IPv4 addresses by name (RFC 1035, section 4); any other name does not exist. */
export async function startDns(addresses: Readonly<Record<string, string>>): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, { port, address }) => {
    const { name, end } = readName(query);
    asked.push(name);
    socket.send(answer(query, end + 4, addresses[name]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { asked, port: socket.address().port, close: () => void socket.close() };
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.'), end: at + 1 };
}

/** Type A is answered; for AAAA there is the name, and no address. */
function answer(query: Buffer, end: number, address: string | undefined): Buffer {
  const isIpv4 = query.readUInt16BE(end - 4) === 1;
  const header = Buffer.from(query.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(0x8180 + (address === undefined ? NO_SUCH_NAME : 0), 2);
  header.writeUInt16BE(address !== undefined && isIpv4 ? 1 : 0, 6);
  header.writeUInt32BE(0, 8); // nothing further
  const parts = [header, query.subarray(HEADER_BYTES, end)];
  if (address !== undefined && isIpv4) parts.push(ANSWER, Buffer.from(address.split('.').map(Number)));
  return Buffer.concat(parts);
}
