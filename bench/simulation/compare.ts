/** What the models say beside what was measured: the tables of docs/scaling.md. */
import { fit } from './fit.ts';
import { simulateLoad } from './load.ts';
import { deliveryCost, fitRooms, type MeasuredRoom } from './rooms.ts';
import { simulateStorm } from './storm.ts';

/** `measured.json`, as `bench/scaling.ts` writes it. */
export interface Measurements {
  readonly machine: string;
  readonly date: string;
  readonly load: readonly MeasuredLoad[];
  readonly rooms: readonly MeasuredRoom[];
  readonly storms: readonly { readonly sockets: number; readonly cpuMicroseconds: number; readonly seconds: number }[];
}

interface MeasuredLoad {
  readonly clients: number;
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly p50: number;
  readonly p99: number;
}

/** A figure that the model was not fitted to. */
export interface Prediction {
  readonly figure: string;
  readonly unit: string;
  readonly predicted: number;
  readonly measured: number;
}

/** The loads that the costs are fitted to; all others are predicted. */
const FITTED_CLIENTS = [1, 200] as const;
const FITTED_MEMBERS = [10, 100] as const;
const FITTED_SOCKETS = 1_000;
/** One write among 64, from docs/benchmarks.md, in microseconds. */
const WRITE = 16;
const SECONDS = 5;

/** The costs of an exchange. @throws where a load that they rest on was not measured */
export function exchangeCosts({ load }: Measurements) {
  const [alone, crowd] = FITTED_CLIENTS.map((clients) => find(load, (point) => point.clients === clients));
  return fit(alone!, crowd!, WRITE);
}

/** The costs of a piece of a live answer. @throws likewise */
export function roomCosts({ rooms }: Measurements) {
  const [small, large] = FITTED_MEMBERS.map((members) => find(rooms, (point) => point.members === members));
  return fitRooms(small!, large!);
}

/** Everything that was measured and not fitted to. */
export function predictions(measurements: Measurements): Prediction[] {
  return [...ofLoad(measurements), ...ofRooms(measurements), ...ofStorms(measurements)];
}

function ofLoad(measurements: Measurements): Prediction[] {
  const costs = exchangeCosts(measurements);
  return measurements.load.flatMap((measured) => {
    const { clients } = measured;
    const simulated = simulateLoad(costs, clients, SECONDS);
    const of = `${clients} client${clients === 1 ? '' : 's'}`;
    const row = (name: string, unit: string, key: 'cpuMicroseconds' | 'perSecond' | 'p50' | 'p99') => {
      return { figure: `${name}, ${of}`, unit, predicted: simulated[key], measured: measured[key] };
    };
    const isFitted = FITTED_CLIENTS.some((fitted) => fitted === clients);
    return [
      ...(isFitted ? [] : [row('CPU for an exchange', 'µs', 'cpuMicroseconds')]),
      ...(clients === 1 ? [] : [row('exchanges a second', '/s', 'perSecond'), row('round trip p50', 'ms', 'p50')]),
      row('round trip p99', 'ms', 'p99'),
    ];
  });
}

function ofRooms(measurements: Measurements): Prediction[] {
  const costs = roomCosts(measurements);
  const others = measurements.rooms.filter(({ members }) => !FITTED_MEMBERS.some((fitted) => fitted === members));
  return others.map(({ members, cpuMicroseconds }) => {
    const figure = `CPU for a delivery, rooms of ${members}`;
    return { figure, unit: 'µs', predicted: deliveryCost(costs, members), measured: cpuMicroseconds };
  });
}

function ofStorms({ storms }: Measurements): Prediction[] {
  const { cpuMicroseconds } = find(storms, ({ sockets }) => sockets === FITTED_SOCKETS);
  const others = storms.filter(({ sockets }) => sockets > FITTED_SOCKETS);
  return others.map(({ sockets, seconds }) => {
    const figure = `99 % of ${sockets.toLocaleString('en')} sockets back, all at once`;
    return { figure, unit: 's', predicted: simulateStorm(cpuMicroseconds, sockets, 0), measured: seconds };
  });
}

/** The predictions as a Markdown table. */
export function table(rows: readonly Prediction[]): string {
  const lines = rows.map(({ figure, unit, predicted, measured }) => {
    const error = ((predicted - measured) / measured) * 100;
    const sign = error < 0 ? '-' : '+';
    return `| ${figure} | ${show(predicted)} ${unit} | ${show(measured)} ${unit} | ${sign}${Math.abs(error).toFixed(0)} % |`;
  });
  return ['| figure | predicted | measured | error |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

function show(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

function find<T>(points: readonly T[], wanted: (point: T) => boolean): T {
  const point = points.find(wanted);
  if (!point) throw new Error('measured.json lacks a point that the models are fitted to: run bench/scaling.ts');
  return point;
}
