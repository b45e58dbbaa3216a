/** An Engine.IO session over plain requests, written by hand. */
export class PollingSession {
  readonly #url: string;
  readonly sid: string;

  private constructor(url: string, sid: string) {
    this.#url = url;
    this.sid = sid;
  }

  /** A transport without a socket of Socket.IO yet. */
  static async open(url: string): Promise<PollingSession> {
    const base = `${url}/socket.io/?EIO=4&transport=polling`;
    const text = await (await fetch(base)).text();
    const { sid } = JSON.parse(text.slice(1));
    return new PollingSession(`${base}&sid=${sid}`, sid);
  }

  /** A logged in socket of protocol 1. */
  static async connect(url: string, token: string): Promise<PollingSession> {
    const session = await PollingSession.open(url);
    await session.post(`40${JSON.stringify({ token, protocol: 1 })}`);
    let packets: string[] = [];
    while (!packets.some((packet) => packet.startsWith('42["connected"'))) packets = await session.poll();
    return session;
  }

  post(body: NonNullable<RequestInit['body']>, init: RequestInit = {}): Promise<Response> {
    return fetch(this.#url, { method: 'POST', body, ...init });
  }

  /** What waits, or comes next; empty once the session is over. */
  async poll(): Promise<string[]> {
    const response = await fetch(this.#url);
    return response.ok ? (await response.text()).split('\x1e') : [];
  }
}
