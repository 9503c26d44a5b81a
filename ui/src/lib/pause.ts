import { moment } from './format';

/** How long notifications can be paused with one click. */
export type Pause = 'off' | 'hour' | 'tomorrow';

/** When a pause that begins now ends: in an hour, or at eight in the next morning. */
export function pauseEnd(pause: Exclude<Pause, 'off'>, now: number): string {
  if (pause === 'hour') return new Date(now + 3_600_000).toISOString();
  const morning = new Date(now);
  morning.setDate(morning.getDate() + 1);
  morning.setHours(8, 0, 0, 0);
  return morning.toISOString();
}

/** `Paused until 14:02.`; nothing once it is over. */
export function pauseInWords(until: string | undefined, now: number): string | undefined {
  if (until === undefined || new Date(until).getTime() <= now) return undefined;
  const end = new Date(until);
  const sameDay = end.toDateString() === new Date(now).toDateString();
  const clock = `${String(end.getHours()).padStart(2, '0')}:${String(end.getMinutes()).padStart(2, '0')}`;
  return `Paused until ${sameDay ? clock : end.getTime() - now < 86_400_000 ? `tomorrow ${clock}` : moment(until, now)}.`;
}
