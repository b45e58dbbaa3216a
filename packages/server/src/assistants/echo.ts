import type { Assistant } from './assistant.ts';

/** Says back what it was told, in one part: for trying a client and for measuring. */
export function createEcho(): Assistant {
  return {
    name: 'echo',
    async *reply({ messages }) {
      const question = messages.at(-1);
      if (question) yield question.content;
    },
  };
}
