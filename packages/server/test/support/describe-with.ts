import { describe } from 'vitest';
import { has, type Requirement } from './requirements.ts';

/** A `describe` that is left out where `requirement` is missing; `npm test` then says so on its last lines. */
export function describeWith(requirement: Requirement, name: string, tests: () => void): void {
  describe.runIf(has(requirement))(`${name} [needs ${requirement}]`, () => {
    tests();
  });
}
