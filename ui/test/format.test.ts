import { describe, expect, it } from 'vitest';
import { ago, count, countdown, duration, latency, moment } from '../src/lib/format';

const NOON = new Date(2026, 4, 13, 12, 0, 0).getTime();
const at = (...parts: [number, number, number, number, number]) => new Date(...parts).toISOString();

describe('format', () => {
  it('shows a latency with as many digits as mean something', () => {
    expect([0.04, 0.94, 9.94, 9.96, 42.4, 999.6, 1234, 12_000].map(latency)).toEqual([
      '0.0 ms', '0.9 ms', '9.9 ms', '10 ms', '42 ms', '1.0 s', '1.2 s', '12 s',
    ]);
  });

  it('counts down to zero and not below', () => {
    expect([600_000, 599_001, 61_000, 999, 1, 0, -5000].map(countdown)).toEqual([
      '10:00', '10:00', '1:01', '0:01', '0:01', '0:00', '0:00',
    ]);
  });

  it('names a moment by as much of the date as is needed', () => {
    expect(moment(at(2026, 4, 13, 9, 5), NOON)).toBe('09:05');
    expect(moment(at(2026, 4, 12, 23, 59), NOON)).toBe('12 May 23:59');
    expect(moment(at(2026, 2, 1, 8, 0), NOON)).toBe('1 Mar 08:00');
    expect(moment(at(2025, 4, 13, 8, 0), NOON)).toBe('13 May 2025 08:00');
    // A sender whose clock is ahead must not become a weekday.
    expect(moment(at(2026, 4, 14, 8, 0), NOON)).toBe('14 May 08:00');
  });

  it('says how long ago, then when', () => {
    expect(ago(new Date(NOON - 20_000).toISOString(), NOON)).toBe('just now');
    expect(ago(new Date(NOON - 5 * 60_000).toISOString(), NOON)).toBe('5 min ago');
    expect(ago(at(2026, 4, 13, 8, 30), NOON)).toBe('08:30');
  });

  it('says a duration in at most two units, whatever its sign', () => {
    expect([400, -12_000, 240_000, 10_920_000, 7_200_000, 300_000_000].map(duration)).toEqual([
      '0.4 s', '12 s', '4 min', '3 h 2 min', '2 h', '3 days',
    ]);
  });

  it('counts things', () => {
    expect([count(1, 'message'), count(2, 'message'), count(0, 'try', 'tries')]).toEqual([
      '1 message', '2 messages', '0 tries',
    ]);
  });
});
