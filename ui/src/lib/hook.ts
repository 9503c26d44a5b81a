import type { Hook } from './api/types';

export type HookKind = Hook['kind'];

/** A hook while it is being edited: what belongs to another kind is kept until it is saved. */
export interface HookDraft {
  kind: HookKind;
  /** Program and arguments, one a line. */
  argv: string;
  url: string;
  /** Name of the secret that signs; empty for none. */
  secret: string;
  seconds: number;
}

const SECONDS = 30;

export function hookDraft(hook: Hook): HookDraft {
  const empty: HookDraft = { kind: hook.kind, argv: '', url: '', secret: '', seconds: SECONDS };
  switch (hook.kind) {
    case 'none':
      return empty;
    case 'command':
      return { ...empty, argv: hook.argv.join('\n'), seconds: hook.timeoutSeconds ?? SECONDS };
    case 'webhook':
      return { ...empty, url: hook.url, secret: hook.secret ?? '', seconds: hook.timeoutSeconds ?? SECONDS };
  }
}

export function hookOf({ kind, argv, url, secret, seconds }: HookDraft): Hook {
  switch (kind) {
    case 'none':
      return { kind };
    case 'command':
      return { kind, argv: argv.split('\n').filter((line) => line !== ''), timeoutSeconds: seconds };
    case 'webhook': {
      const signed = secret.trim() === '' ? {} : { secret: secret.trim() };
      return { kind, url: url.trim(), ...signed, timeoutSeconds: seconds };
    }
  }
}
