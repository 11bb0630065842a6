// SPDX-License-Identifier: Apache-2.0
// The server's answers as objects, its refusals as ApiError with what to do.

export class ApiError extends Error {
  /** @param status HTTP status, 0 when the server did not answer at all */
  constructor(status, message, hint) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

export async function get(path, signal) {
  let response;
  try {
    response = await fetch(path, { signal, headers: { Accept: 'application/json' } });
  } catch (failure) {
    if (failure.name === 'AbortError') throw failure;
    throw new ApiError(0, 'The server does not answer.',
        'Is the process that serves this page still running? The page goes on by itself when it is back.');
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) {
    throw new ApiError(response.status, body?.error ?? `The server answered ${response.status}.`, body?.hint ?? '');
  }
  return body;
}

const stream = (id) => `/api/streams/${encodeURIComponent(id)}`;

function query(parameters) {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null) search.set(key, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** Widths that the server scales to. */
const WIDTHS = [160, 320, 640];

/** The smallest width that fills so many CSS pixels on this screen; undefined = as the camera sent it. */
export function widthFor(cssPixels) {
  return WIDTHS.find((width) => width >= cssPixels * Math.min(window.devicePixelRatio || 1, 2));
}

export const urls = {
  newestFrame: (id, sequence, w) => `${stream(id)}/frame${query({ v: sequence, w })}`,
  frameAt: (id, micros, w) => `${stream(id)}/frames/${Math.round(micros)}${query({ w })}`,
  captions: (id, format, from, to) =>
    `${stream(id)}/captions.${format}${query({ from: Math.round(from), to: Math.round(to) })}`,
  page: (id) => `/streams/${encodeURIComponent(id)}`,
  memoryPage: (id) => `/streams/${encodeURIComponent(id)}/memory`,
};

export const api = {
  wall: (signal) => get('/api/wall', signal),
  stream: (id, signal) => get(stream(id), signal),
  texts: (id, bounds, signal) => get(`${stream(id)}/texts${query(bounds)}`, signal),
  search: (parameters, signal) => get(`/api/search${query(parameters)}`, signal),
  memory: (id, signal) => get(`${stream(id)}/memory`, signal),
  job: (signal) => get('/api/job', signal),
  clips: (signal) => get('/api/clips', signal),
};
