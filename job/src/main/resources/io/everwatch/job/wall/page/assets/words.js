// SPDX-License-Identifier: Apache-2.0
// What happened, in words: one place for all pages.
import { duration, plural, since } from './format.js';

const SPOKEN = new Set(['COMMENT', 'ANSWER', 'ALERT']);

export const isSpoken = (text) => SPOKEN.has(text.kind);

/** A text's identity; equal ones are the same event, seen again. */
export const identity = (text) => `${text.life}/${text.chunk}/${text.subject ?? ''}`;

const length = (text) => duration((text.endMicros - text.startMicros) / 1000);

/** One text event as a line; what was said is said as it was. */
export function lineOf(text) {
  switch (text.kind) {
    case 'COMMENT':
    case 'ANSWER':
    case 'ALERT':
      return text.text;
    case 'SILENCE':
      return text.merged && text.chunk < text.merged.lastChunk ? 'Looked at together with the next second' : 'Nothing happens';
    case 'GAP':
      if (text.skipped?.reason === 'stopped') return `Stopped by command for ${length(text)}`;
      return text.skipped?.reason ? `Skipped ${length(text)}: ${text.skipped.reason}` : `No frames for ${length(text)}`;
    case 'STALE':
      return 'The camera fell silent';
    case 'ENDED':
      return 'The stream ended';
    case 'NOTICE':
      return text.text || 'A command was applied';
    case 'ERROR':
      return `Not understood: ${text.text || 'no reason given'}`;
    default:
      return text.text || text.kind;
  }
}

/** quiet | said | gap | trouble | note: how a line looks. */
export function toneOf(text) {
  if (isSpoken(text)) return 'said';
  if (text.kind === 'SILENCE') return 'quiet';
  if (text.kind === 'ERROR') return 'trouble';
  return text.kind === 'NOTICE' ? 'note' : 'gap';
}

/** What else is to be known of an event, as short remarks. */
export function remarksOf(text, before) {
  const remarks = [];
  if (restartedBetween(before, text)) remarks.push('the job was restarted before this');
  if (text.merged) remarks.push(`${plural(text.merged.lastChunk - text.merged.firstChunk + 1, 'second')} in one look`);
  if (text.clockReset) remarks.push('the camera’s clock was set');
  for (const mark of text.marks ?? []) {
    if (mark === 'REBUILT') remarks.push('memory rebuilt from its log');
    else if (mark === 'NUMERICS_CHANGED') remarks.push('computed by other software or hardware from here');
    else remarks.push(mark.toLowerCase());
  }
  if (text.commands?.length > 0) remarks.push(`command ${text.commands.join(', ')}`);
  if (text.changed) remarks.push('seen twice with different bytes: report this');
  return remarks;
}

export function restartedBetween(before, text) {
  return Boolean(before?.startedMillis && text.startedMillis && before.startedMillis !== text.startedMillis);
}

const BADGES = {
  live: ['', ''],
  waiting: ['Waiting', 'Frames come, but no text: the job is down or behind.'],
  silent: ['No frames', 'The camera sends nothing.'],
  stopped: ['Stopped', 'Stopped by a command; start it with ./everwatch command … start.'],
  ended: ['Ended', 'The camera said that it ended, or was forgotten.'],
};

/** What stands in the corner of a tile, and its explanation. */
export function badgeOf(stream) {
  if (stream.state === 'live' && stream.kind === 'ERROR') return ['Error', 'This second could not be understood; the stream goes on.', 'error'];
  return [...(BADGES[stream.state] ?? [stream.state, '']), stream.state];
}

/** A stream's state as a sentence, when it is not simply live. */
export function stateLine(stream, now) {
  const lasted = stream.since ? since(now - stream.since) : '';
  switch (stream.state) {
    case 'waiting':
      return `Frames come, no text for ${lasted}`;
    case 'silent':
      return `No frames for ${lasted}`;
    case 'stopped':
      return `Stopped by command ${lasted} ago`;
    case 'ended':
      return `Ended ${lasted} ago`;
    default:
      return '';
  }
}

const NOTE_MILLIS = 60_000;

/** The short remark at a tile's foot: what went amiss within the last minute. */
export function noteOf(stream, text, now) {
  if (stream.restartedMillis && now - stream.restartedMillis < NOTE_MILLIS) return 'job restarted';
  if (!text || now - text.endMicros / 1000 > NOTE_MILLIS) return '';
  if (text.kind === 'ERROR') return 'error';
  if (text.skipped) return text.skipped.reason && text.skipped.reason !== 'stopped' ? `skipped ${length(text)}` : `gap ${length(text)}`;
  if (text.merged) return `merged ${plural(text.merged.lastChunk - text.merged.firstChunk + 1, 'second')}`;
  return text.clockReset ? 'clock set' : '';
}
