import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CONFIGURATION_PAGE, describeConfiguration } from '../../scripts/describe-configuration.ts';
import { readConfig, type ConfigError } from '../../src/config.ts';

test('the page on configuration is what the table of settings says (npm run docs:configuration writes it)', () => {
  expect(readFileSync(CONFIGURATION_PAGE, 'utf8')).toBe(describeConfiguration());
});

test('all that is wrong with the settings is told at once, weaknesses included, and no secret', () => {
  const settings = { PORT: 'x', LOG_LEVEL: 'loud', ENVIRONMENT: 'production', JWT_SECRET: 'short-and-secret' };
  const problems = problemsOf(settings);
  expect(problems).toHaveLength(3);
  expect(problems.join()).toMatch(/PORT=x.*LOG_LEVEL=loud.*JWT_SECRET/);
  expect(problems.join()).not.toContain('short-and-secret');
});

function problemsOf(settings: Record<string, string>): readonly string[] {
  try {
    readConfig(settings);
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
}
