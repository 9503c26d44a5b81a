/** Numbers and times as a person reads them. */

/** `0.9 ms`, `42 ms`, `1.2 s`: one decimal where it says something. */
export function latency(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms / 1000)} s`;
}

/** `9:41`, never below zero. A started second counts as whole, so that 0:00 means over. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** `14:02` today, `12 Mar 14:02` on other days, with the year when it is another. */
export function moment(iso: string, now: number): string {
  const then = new Date(iso);
  const clock = `${two(then.getHours())}:${two(then.getMinutes())}`;
  const days = Math.round((midnight(now) - midnight(then.getTime())) / 86_400_000);
  if (days === 0) return clock;
  const date = `${then.getDate()} ${MONTHS[then.getMonth()]}`;
  return then.getFullYear() === new Date(now).getFullYear()
    ? `${date} ${clock}`
    : `${date} ${then.getFullYear()} ${clock}`;
}

/** `Today`, `Yesterday`, `Tuesday`, `12 March`, with the year when it is another: the heading of a day. */
export function day(iso: string, now: number): string {
  const then = new Date(iso);
  const days = Math.round((midnight(now) - midnight(then.getTime())) / 86_400_000);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days > 1 && days < 7) return then.toLocaleDateString('en-GB', { weekday: 'long' });
  const date = `${then.getDate()} ${then.toLocaleDateString('en-GB', { month: 'long' })}`;
  return then.getFullYear() === new Date(now).getFullYear() ? date : `${date} ${then.getFullYear()}`;
}

/** Whether two moments are on one day here. */
export function sameDay(a: string, b: string): boolean {
  return midnight(new Date(a).getTime()) === midnight(new Date(b).getTime());
}

/** `12 Mar 2026 14:02:09`, in the time of this machine. */
export function stamp(iso: string): string {
  const then = new Date(iso);
  const clock = [then.getHours(), then.getMinutes(), then.getSeconds()].map(two).join(':');
  return `${then.getDate()} ${MONTHS[then.getMonth()]} ${then.getFullYear()} ${clock}`;
}

/** `812 B`, `4.2 kB`, `1.3 MB`: decimal, as disks are counted. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  if (count < 999_500) return `${(count / 1000).toFixed(count < 9_950 ? 1 : 0)} kB`;
  if (count < 999_500_000) return `${(count / 1e6).toFixed(count < 9_950_000 ? 1 : 0)} MB`;
  return `${(count / 1e9).toFixed(1)} GB`;
}

/** `just now`, `5 min ago`, then the moment itself. */
export function ago(iso: string, now: number): string {
  const seconds = (now - new Date(iso).getTime()) / 1000;
  if (seconds < 45) return 'just now';
  if (seconds < 3_570) return `${Math.round(seconds / 60)} min ago`;
  return moment(iso, now);
}

/** `3 h 2 min`, `4 min`, `12 s`, `0.4 s`: a duration with at most two units. */
export function duration(ms: number): string {
  const seconds = Math.abs(ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}

/** `1 message`, `2 messages`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function midnight(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}
