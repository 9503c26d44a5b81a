import type { Responder } from './api/types';

export type Kind = Responder['kind'];

/** A responder while it is being edited: what belongs to another kind is kept until it is saved. */
export interface Draft {
  kind: Kind;
  /** Program and arguments, one a line. */
  argv: string;
  url: string;
  model: string;
  seconds: number;
}

const PERSON_SECONDS = 600;
const MACHINE_SECONDS = 120;

export function draftOf(responder: Responder): Draft {
  const empty: Draft = { kind: responder.kind, argv: '', url: '', model: '', seconds: MACHINE_SECONDS };
  switch (responder.kind) {
    case 'nobody':
      return empty;
    case 'person':
      return { ...empty, seconds: responder.deadlineSeconds ?? PERSON_SECONDS };
    case 'command':
      return { ...empty, argv: responder.argv.join('\n'), seconds: responder.timeoutSeconds ?? MACHINE_SECONDS };
    case 'endpoint':
      return { ...empty, url: responder.url, model: responder.model, seconds: responder.timeoutSeconds ?? MACHINE_SECONDS };
  }
}

export function responderOf({ kind, argv, url, model, seconds }: Draft): Responder {
  switch (kind) {
    case 'nobody':
      return { kind };
    case 'person':
      return { kind, deadlineSeconds: seconds };
    case 'command':
      return { kind, argv: argv.split('\n').filter((line) => line !== ''), timeoutSeconds: seconds };
    case 'endpoint':
      return { kind, url: url.trim(), model: model.trim(), timeoutSeconds: seconds };
  }
}
