// Writes docs/configuration.md: run `npm run docs:configuration` after a change to the settings' table.
import { writeFileSync } from 'node:fs';
import { CONFIGURATION_PAGE, describeConfiguration } from './describe-configuration.ts';

writeFileSync(CONFIGURATION_PAGE, describeConfiguration());
