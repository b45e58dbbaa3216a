import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeWire } from '../scripts/describe-wire.ts';
import { PROTOCOL_VERSION } from '../src/index.ts';

const file = new URL(`../wire/${PROTOCOL_VERSION}.json`, import.meta.url);

const advice = `What is on the wire differs from packages/protocol/wire/${PROTOCOL_VERSION}.json.
If you did not mean to change the protocol, undo the change of the schema.
If you did: raise PROTOCOL_VERSION in packages/protocol/src/version.ts, say in SPOKEN_PROTOCOLS which versions the server
still speaks, run \`npm run wire -w packages/protocol\` and describe the change in docs/protocol.md and CHANGELOG.md.
Where no release speaks protocol ${PROTOCOL_VERSION} yet: npm run wire -w packages/protocol -- --unreleased
`;

test('the wire changes only with a new protocol version', () => {
  expect(existsSync(file), advice).toBe(true);
  expect(JSON.parse(JSON.stringify(describeWire())), advice).toEqual(JSON.parse(readFileSync(file, 'utf8')));
});

test('every event and every error stands in the description of the wire', () => {
  const { names, errors } = describeWire();
  expect(Object.keys(names)).toEqual(
    expect.arrayContaining([
      'clientEvents.chat.payload',
      'clientEvents.chat.ack',
      'baseServerEvents.conversation',
      'extendedServerEvents.response_delta',
      'logEventData.message_created',
      'refusalSchema',
      'tokensSchema',
    ]),
  );
  expect(errors).toHaveProperty('rate_limited', { status: 429, retryable: true });
});
