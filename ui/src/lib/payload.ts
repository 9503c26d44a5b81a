import { findMistake } from './mistake';

/** What the composer makes of typed JSON. */
export type CheckedPayload =
  | { state: 'empty' }
  | { state: 'valid'; type: string; payload: Record<string, unknown> }
  /** `at` is where the reader gave up, counted from 1. */
  | { state: 'invalid'; reason: string; at?: { line: number; column: number } };

/** Checks a payload as it is typed: a JSON object with a `type` that is a non-empty string. */
export function checkPayload(text: string): CheckedPayload {
  if (text.trim() === '') return { state: 'empty' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { offset, reason } = findMistake(text);
    const before = text.slice(0, offset).split('\n');
    return { state: 'invalid', reason, at: { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 } };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { state: 'invalid', reason: 'A payload is a JSON object: { "type": … }.' };
  }
  const { type } = value as { type?: unknown };
  if (typeof type !== 'string' || type.trim() === '') {
    return { state: 'invalid', reason: 'The object needs a "type", such as "task".' };
  }
  if (OWN_TYPES.includes(type)) {
    return { state: 'invalid', reason: `"${type}" is Tieline's own type. Choose Question to ask something.` };
  }
  return { state: 'valid', type, payload: value as Record<string, unknown> };
}

const OWN_TYPES = ['tieline.ask', 'tieline.answer'];
