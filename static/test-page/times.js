/** As in the event log beside it, whatever the language. */
const hourCycle = 'h23';
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle });
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle,
});
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium', hourCycle });

/**
 * The time of day, with the date where it was not today.
 *
 * @param {Date} date
 */
export function shortTime(date) {
  if (Number.isNaN(date.getTime())) return '';
  return (date.toDateString() === new Date().toDateString() ? clock : dayAndClock).format(date);
}

/** @param {Date} date */
export function exactTime(date) {
  return Number.isNaN(date.getTime()) ? '' : exact.format(date);
}

/**
 * Hours, minutes, seconds and milliseconds: the event log is read by the millisecond.
 *
 * @param {Date} date
 */
export function logTime(date) {
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const milliseconds = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}

/**
 * How long until something, in the unit that people would use.
 *
 * @param {number} milliseconds
 */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1_000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
