import type { AssistantRequest } from '../packages/server/src/assistants/assistant.ts';

/** Says back the question, word by word, as a language model would write it. */
export default async function* parrot({ messages, user, signal }: AssistantRequest) {
  yield `${user.name}, you said:`;
  for (const word of messages.at(-1)?.content.split(/\s+/) ?? []) {
    if (signal.aborted) return;
    yield ` ${word}`;
  }
}
