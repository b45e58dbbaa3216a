import { isIPv4 } from 'node:net';

/** Where Redis is, as `REDIS_URL` says. */
export interface RedisAddress {
  /** One server, one that sentinels name, or the parts of a cluster. */
  readonly kind: 'server' | 'sentinel' | 'cluster';
  /** Where to begin: the server, the sentinels, or some of the cluster. At least one. */
  readonly hosts: readonly Host[];
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  /** What the sentinels call the server. */
  readonly name?: string;
}

/** A host and its port. */
export interface Host {
  readonly host: string;
  readonly port: number;
}

/** One `@` at most: what follows a second one in a password would be taken for the host, and printed. */
const FORM = /^(redis|rediss)(\+sentinel|\+cluster)?:\/\/(?:([^@]*)@)?([^@/?#]+)(?:\/([^@/?#]*))?$/;
const HOST = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/;
const PORTS = { server: 6379, cluster: 6379, sentinel: 26_379 };

/** How REDIS_URL may look. */
export const REDIS_URL_FORM =
  'redis://user:password@host:6379 (rediss:// for TLS), redis+sentinel://host,host/name or redis+cluster://host,host';

/** Reads `REDIS_URL`; null where it is none. A database's number is refused: pub/sub does not know of them. */
export function parseRedisUrl(url: string): RedisAddress | null {
  const [, scheme, kindSuffix, credentials, hostList, path] = FORM.exec(url) ?? [];
  if (hostList === undefined) return null;
  const kind = kindSuffix === '+sentinel' ? 'sentinel' : kindSuffix === '+cluster' ? 'cluster' : 'server';
  const hosts = hostList.split(',').map((text) => parseHost(text, PORTS[kind]));
  const login = parseCredentials(credentials);
  if (!login || !hosts.every((host) => host !== null)) return null;
  if (kind === 'server' && hosts.length > 1) return null;
  if (kind === 'sentinel' ? !path : path) return null;
  return { kind, hosts, tls: scheme === 'rediss', ...login, ...(path && { name: path }) };
}

function parseHost(text: string, defaultPort: number): Host | null {
  const [, ipv6, name, digits] = HOST.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = digits === undefined ? defaultPort : Number(digits);
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port };
}

/** `user:password`, `:password` or `user`, each percent-encoded. */
function parseCredentials(text = ''): Pick<RedisAddress, 'username' | 'password'> | null {
  const colon = text.indexOf(':');
  try {
    const username = decodeURIComponent(colon < 0 ? text : text.slice(0, colon));
    const password = decodeURIComponent(colon < 0 ? '' : text.slice(colon + 1));
    return { ...(username && { username }), ...(password && { password }) };
  } catch {
    return null; // a lone percent sign
  }
}

/** The address as it may be printed: without user and password. */
export function printableRedis({ kind, hosts, name }: RedisAddress): string {
  const list = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  if (kind === 'server') return list;
  return kind === 'cluster' ? `cluster ${list}` : `${name} by sentinels ${list}`;
}

/** Whether anybody on the network could read and write there: no password, and not on this machine alone. */
export function isUnprotected({ hosts, password }: RedisAddress): boolean {
  return password === undefined && !hosts.every(({ host }) => isLoopback(host));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
