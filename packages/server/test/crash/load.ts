/** What the load needs of a client. */
interface Sender {
  readonly waiting: number;
  send(text: string, conversationId: string | null): void;
}

/** Somebody who sends, and where. */
export interface LoadedClient {
  readonly client: Sender;
  readonly chats: readonly string[];
  /** Conversations whose answers are streamed slowly. */
  readonly streams: readonly string[];
  /** Whether it also opens conversations. */
  readonly opens: boolean;
}

/** How much is sent, in messages a second over all clients. */
export interface LoadRates {
  readonly chats: number;
  readonly streams: number;
  readonly openings: number;
}

const TICK_MS = 20;
/** A client whose outbox is this full waits before it writes more. */
const MAX_WAITING = 100;

/** Sends at steady rates until stopped, whether anybody is connected or not. */
export function startLoad(clients: readonly LoadedClient[], rates: LoadRates, random: () => number): () => void {
  const due = { chats: 0, streams: 0, openings: 0 };
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)];
  let before = performance.now();
  const timer = setInterval(() => {
    const elapsed = (performance.now() - before) / 1_000;
    before += elapsed * 1_000;
    for (const kind of ['chats', 'streams', 'openings'] as const) {
      due[kind] += Math.min(elapsed, 1) * rates[kind];
      for (; due[kind] >= 1; due[kind] -= 1) {
        const loaded = pick(clients);
        if (!loaded || loaded.client.waiting > MAX_WAITING) continue;
        if (kind === 'openings') {
          if (loaded.opens) loaded.client.send(shortQuestion(random), null);
        } else {
          const conversation = pick(loaded[kind]);
          const question = kind === 'chats' ? shortQuestion(random) : longQuestion(random);
          if (conversation) loaded.client.send(question, conversation);
        }
      }
    }
  }, TICK_MS);
  return () => clearInterval(timer);
}

/** A question that the scripted assistant answers at once. */
function shortQuestion(random: () => number): string {
  return withScript([{ text: `yes ${random()}` }]);
}

const WORDS = ['streams ', 'of words ', 'and 👩‍👩‍👧 ', 'rivers\n', 'that ', 'end '];

/** A question whose answer takes half a second or more, in pieces. */
function longQuestion(random: () => number): string {
  const steps = Array.from({ length: 5 + Math.floor(random() * 10) }, (_, index) => [
    { text: `${index} ${WORDS[Math.floor(random() * WORDS.length)]}` },
    { delay_ms: Math.floor(random() * 100) },
  ]);
  return withScript(steps.flat());
}

function withScript(steps: readonly object[]): string {
  return `what?\nscript: ${JSON.stringify({ steps })}`;
}
