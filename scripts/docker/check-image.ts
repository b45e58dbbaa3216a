import { io } from 'socket.io-client';

/** Registers, signs in and has one conversation over a socket, as any client of the base layer would. */
export async function checkImage(url: string): Promise<void> {
  const page = await fetch(`${url}/static/socketio_test.html`);
  if (page.status !== 404) throw new Error(`production serves the test page: ${page.status}`);
  const person = { username: 'image-check', email: 'image-check@example.com', password: `pass-${crypto.randomUUID()}` };
  await post(`${url}/api/v1/auth/register`, person);
  const { access_token: token } = await post(`${url}/api/v1/auth/login`, person);
  const answers = await chat(url, String(token));
  if (answers === 0) throw new Error('the conversation has no answer');
}

async function post(url: string, body: object): Promise<Record<string, unknown>> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`POST ${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}

async function chat(url: string, token: string): Promise<number> {
  const socket = io(url, { auth: { token }, reconnection: false });
  try {
    return await new Promise<number>((resolve, reject) => {
      socket.on('connected', () => socket.emit('chat', { message: 'How do I connect from JavaScript?' }));
      socket.on('conversation', (event: { assistant_responses: unknown[] }) =>
        resolve(event.assistant_responses.length),
      );
      socket.on('connect_error', reject);
      socket.on('error', (error: { message: string }) => reject(new Error(error.message)));
      setTimeout(() => reject(new Error('no answer within 10 s')), 10_000).unref();
    });
  } finally {
    socket.disconnect();
  }
}
