import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** What a request says of its client, as far as that can be believed. */
export interface Proxies {
  /** The client's address, for limits and logs. */
  addressOf(request: IncomingMessage): string;
  /** The host, with its port where it has one, that the client's address bar shows. */
  hostOf(request: IncomingMessage): string | undefined;
}

/**
 * Reads what trusted proxies say of their clients. Headers are believed only where the other end of the connection is one
 * of these addresses or networks; to everybody else they are free to invent.
 */
export function trustProxies(networks: readonly string[]): Proxies {
  const trusted = new BlockList();
  for (const network of networks) add(trusted, network);
  const isTrusted = (address: string) =>
    isIP(address) !== 0 && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  return {
    addressOf: (request) => clientAddress(request, isTrusted),
    hostOf({ headers, socket }) {
      const forwarded = headers['x-forwarded-host'];
      if (forwarded === undefined || !isTrusted(plainAddress(socket.remoteAddress ?? ''))) return headers.host;
      return String(forwarded).split(',')[0]?.trim(); // the outermost proxy wrote the first
    },
  };
}

/** Each proxy adds at the end whom it heard the request from: the last one that is no proxy of ours is the client. */
function clientAddress({ socket, headers }: IncomingMessage, isTrusted: (address: string) => boolean): string {
  let address = plainAddress(socket.remoteAddress ?? 'unknown');
  const forwarded = String(headers['x-forwarded-for'] ?? '').split(',');
  while (forwarded.length > 0 && isTrusted(address)) {
    const before = plainAddress(forwarded.pop()!.trim());
    if (isIP(before) === 0) break;
    address = before;
  }
  return address;
}

/** An IPv4 address as such, also where the system writes it as one of IPv6. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function add(list: BlockList, network: string): void {
  const [address = '', prefix] = network.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (prefix === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(prefix), family);
}

/** Whether this is an address or a network that may be trusted: not the whole internet. */
export function isNetwork(text: string): boolean {
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return false;
  return prefix === undefined || (Number(prefix) >= 1 && Number(prefix) <= (version === 4 ? 32 : 128));
}
