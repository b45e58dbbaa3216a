import { Refusal } from './failure.ts';

/** Adds the variables of a `.env` file in the working folder, where there is one; those of the process count more. */
export function loadEnvFile(): void {
  try {
    process.loadEnvFile();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new Refusal(`.env: the file cannot be read: ${message}`, { cause: error });
  }
}
