// SPDX-License-Identifier: Apache-2.0
// Numbers and times for people: local time on the page, UTC in the tooltip.
import { h, setText } from './dom.js';

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
});
const minute = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
});
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });

export const clockOf = (millis) => clock.format(millis);
export const minuteOf = (millis) => minute.format(millis);
export const number = (value) => whole.format(value);
export const decimal = (value) => tenth.format(value);
export const compact = (value) => (Math.abs(value) < 10000 ? whole.format(value) : short.format(value));

/** Date before the time when it was not today. */
export function momentOf(millis, now) {
  const sameDay = new Date(millis).toDateString() === new Date(now).toDateString();
  return sameDay ? clockOf(millis) : `${day.format(millis)}, ${clockOf(millis)}`;
}

export function utc(millis) {
  return `${new Date(millis).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A <time>, or the given one brought up to date. */
export function timeNode(millis, node = h('time'), show = clockOf) {
  const iso = new Date(millis).toISOString();
  if (node.dateTime !== iso) {
    node.dateTime = iso;
    node.title = utc(millis);
  }
  setText(node, show(millis));
  return node;
}

/** 40 ms, 0.4 s, 12 s, 3 min 20 s, 2 h 5 min, 3 days. */
export function duration(millis) {
  const seconds = Math.max(0, millis) / 1000;
  if (seconds > 0 && seconds < 0.095) return `${whole.format(millis)} ms`;
  if (seconds < 10) return `${decimal(seconds)} s`;
  if (seconds < 120) return `${whole.format(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes} min ${whole.format(Math.floor(seconds % 60))} s`;
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${whole.format(Math.floor(hours / 24))} days`;
}

/** Whole seconds, for what ticks. */
export const since = (millis) => duration(Math.max(0, Math.floor(millis / 1000) * 1000));

export function bytes(value) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let amount = value;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${amount < 10 && unit > 0 ? decimal(amount) : whole.format(amount)} ${units[unit]}`;
}

export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** By name as people count: camera-2 before camera-10. */
export const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' }).compare;
