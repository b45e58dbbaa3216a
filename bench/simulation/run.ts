/** `node bench/simulation/run.ts`: the models' costs, and their predictions beside what was measured. */
import { readFileSync } from 'node:fs';
import { exchangeCosts, predictions, roomCosts, table, type Measurements } from './compare.ts';

const file = new URL('./measured.json', import.meta.url);
const measurements = JSON.parse(readFileSync(file, 'utf8')) as Measurements;
const { exchange, write, commit, disk } = exchangeCosts(measurements);
const { piece, member } = roomCosts(measurements);
const microseconds = (value: number) => `${value.toFixed(1)} µs`;
process.stdout.write(`Measured on ${measurements.date}: ${measurements.machine}

an exchange ${microseconds(exchange)}, a write ${microseconds(write)}, a commit ${microseconds(commit)} and ${microseconds(disk)} of waiting
a piece in a room ${microseconds(piece)}, for each member ${microseconds(member)}

${table(predictions(measurements))}
`);
