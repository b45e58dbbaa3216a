import { ChatError } from '@tertulia/protocol';

/** One round of a run: does something under faults, then tells what is wrong with what is there. */
export type Round = (number: number) => Promise<string[]>;

/** What a caller was told: a result's word, the code of a refusal, or an error that nobody should see. */
export async function told<T>(asked: Promise<T>, word: (result: T) => string): Promise<string> {
  try {
    return word(await asked);
  } catch (error) {
    return error instanceof ChatError ? error.code : `error ${String(error)}`;
  }
}

/** The answers that should not be. */
export function unlessIn(allowed: readonly string[], answers: readonly string[]): string[] {
  return answers.filter((answer) => !allowed.includes(answer)).map((answer) => `answered ${answer}`);
}

/** A problem unless these are 1, 2, 3… */
export function unlessRow(numbers: readonly number[]): string[] {
  return numbers.every((number, index) => number === index + 1) ? [] : [`holes or doubles: ${numbers.join(' ')}`];
}

/** Of what was tried at once exactly one should win, or at most one where the outcome of another is not known. */
export function unlessOne(wins: string, answers: readonly string[]): string[] {
  const count = answers.filter((answer) => answer === wins).length;
  if (count > 1) return [`${count} times ${wins}`];
  return count === 1 || answers.includes('unavailable') ? [] : [`nobody: ${wins}, but ${answers.join(' and ')}`];
}
