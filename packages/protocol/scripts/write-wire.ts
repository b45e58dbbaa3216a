// `npm run wire -w packages/protocol` keeps what a new protocol version puts on the wire. A version that was
// released never changes again, so its file is not overwritten; `--unreleased` says that this one was not.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PROTOCOL_VERSION } from '../src/index.ts';
import { describeWire } from './describe-wire.ts';

const file = fileURLToPath(new URL(`../wire/${PROTOCOL_VERSION}.json`, import.meta.url));
const changelog = new URL('../../../CHANGELOG.md', import.meta.url);

const refusal = reasonToRefuse();
if (refusal) {
  console.error(refusal);
  process.exitCode = 1;
} else {
  mkdirSync(fileURLToPath(new URL('../wire', import.meta.url)), { recursive: true });
  writeFileSync(file, `${JSON.stringify(describeWire(), null, 2)}\n`);
  console.log(`Wrote ${file}`);
}

function reasonToRefuse(): string | null {
  if (!existsSync(file)) return null;
  if (isReleased()) {
    return `Protocol ${PROTOCOL_VERSION} is released (CHANGELOG.md names it): raise PROTOCOL_VERSION in src/version.ts first.`;
  }
  return process.argv.includes('--unreleased')
    ? null
    : `wire/${PROTOCOL_VERSION}.json exists. If no release speaks protocol ${PROTOCOL_VERSION} yet, add -- --unreleased.`;
}

/** A release's section of the changelog names the protocol it was the first to speak: "Protocol 1". */
function isReleased(): boolean {
  if (!existsSync(changelog)) return false;
  const released = readFileSync(changelog, 'utf8').replace(/## \[?Unreleased[^]*?(?=\n## |$)/i, '');
  return new RegExp(`protocol ${PROTOCOL_VERSION}\\b`, 'i').test(released);
}
