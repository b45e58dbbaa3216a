import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Assistant, AssistantRequest } from './assistant.ts';

type Step =
  | { readonly text: string }
  /** Waits; ends at once when the request is aborted. */
  | { readonly delay_ms: number }
  /** Waits for a promise that the test holds; ends at once when the request is aborted. */
  | { readonly until: Promise<unknown> }
  /** Throws. */
  | { readonly fail: Error | string }
  /** Yields so many bytes of text as fast as they are taken. */
  | { readonly flood: number }
  /** Never goes on, and does not listen to the abort either. */
  | { readonly hang: true };

/** The steps of one answer. */
export type Script = readonly Step[];

/** An assistant for tests, with the requests that it was asked, in order. */
export interface Scripted extends Assistant {
  readonly calls: readonly AssistantRequest[];
}

const FLOOD_PART = 16_384;

const writtenScript = z.strictObject({
  steps: z.array(
    z.union([
      z.strictObject({ text: z.string() }),
      z.strictObject({ delay_ms: z.number().min(0).max(600_000) }),
      z.strictObject({ fail: z.string() }),
      z.strictObject({ flood: z.int().min(1).max(100_000_000) }),
      z.strictObject({ hang: z.literal(true) }),
    ]),
  ),
});

/**
 * An assistant that plays the given scripts, one a call, and then whatever script the question itself carries on a
 * line `script: {"steps": [...]}`, so that a test can also drive a server in another process. A call with neither throws.
 */
export function createScripted(scripts: readonly Script[] = []): Scripted {
  const waiting = [...scripts];
  const calls: AssistantRequest[] = [];
  return {
    name: 'scripted',
    calls,
    async *reply(request) {
      calls.push(request);
      yield* play(waiting.shift() ?? scriptIn(request), request.signal);
    },
  };
}

function scriptIn({ messages, task }: AssistantRequest): Script {
  const line = /^script: (.*)$/m.exec(messages.at(-1)?.content ?? '')?.[1];
  if (line === undefined) throw new Error(`The scripted assistant was called unplanned, by task ${task.id}.`);
  return writtenScript.parse(JSON.parse(line)).steps;
}

async function* play(script: Script, signal: AbortSignal): AsyncGenerator<string> {
  for (const step of script) {
    if (signal.aborted) return;
    if ('text' in step) yield step.text;
    else if ('flood' in step) yield* flood(step.flood);
    else if ('fail' in step) throw typeof step.fail === 'string' ? new Error(step.fail) : step.fail;
    else await pause(step, signal);
  }
}

function* flood(bytes: number): Generator<string> {
  const part = 'flood '.repeat(Math.ceil(FLOOD_PART / 6)).slice(0, FLOOD_PART);
  for (let left = bytes; left > 0; left -= FLOOD_PART) yield left < FLOOD_PART ? part.slice(0, left) : part;
}

async function pause(
  step: { delay_ms: number } | { until: Promise<unknown> } | { hang: true },
  signal: AbortSignal,
): Promise<void> {
  if ('hang' in step) return new Promise<void>(() => {});
  const aborted = Promise.withResolvers<void>();
  const stop = () => aborted.resolve();
  signal.addEventListener('abort', stop, { once: true });
  // Rejects only when aborted, which is what the race waits for anyway.
  const over = 'until' in step ? step.until : delay(step.delay_ms, undefined, { signal }).catch(stop);
  await Promise.race([over, aborted.promise]);
  signal.removeEventListener('abort', stop);
}
