import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { passwordOf } from '../../src/commands/console/password.ts';

test('a password comes from the first line of a pipe that stays open', async () => {
  const { stdin, given } = ask(false);
  stdin.write('längst ');
  stdin.write('enough\nand more');
  expect(await given).toBe('längst enough');
});

test('a password comes from a file without an end of line', async () => {
  const { stdin, given } = ask(false);
  stdin.end('long enough');
  expect(await given).toBe('long enough');
});

test('at a terminal one is asked, types, corrects and presses Enter, and nothing of it is shown', async () => {
  const { stdin, given, said } = ask(true);
  stdin.write('long enougj\u007Fh\r');
  expect(await given).toBe('long enough');
  expect(said).toEqual(['Type the password, which is not shown, and press Enter:']);
});

test('Ctrl+C at the question gives it up', async () => {
  const { stdin, given } = ask(true);
  stdin.write('long\u0003');
  await expect(given).rejects.toThrow('No password was typed, and nothing was changed.');
});

function ask(isTTY: boolean) {
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: () => undefined });
  const said: string[] = [];
  const given = passwordOf(
    { 'password-stdin': true },
    {
      variables: {},
      print: (line) => void said.push(line),
      complain: (line) => void said.push(line),
      stdin,
      stdout: new PassThrough(),
    },
  );
  return { stdin, given, said };
}
