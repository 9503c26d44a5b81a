import type { MessageView } from './api/types';

/** Payload types of questions and answers, as the engine sends them. */
export const ASK = 'tieline.ask';
export const ANSWER = 'tieline.answer';

/** An answer as its payload says it. All of it is the peer's, or our own, text. */
export interface Answer {
  message: MessageView;
  /** The question's message id. */
  inReplyTo: string;
  text: string;
  /** False for a word while the real answer is still to come. */
  final: boolean;
  /** Why there is no answer. */
  error?: { code: string; message: string };
}

export function answerOf(message: MessageView): Answer | undefined {
  const payload = message.payload;
  if (message.type !== ANSWER || typeof payload?.inReplyTo !== 'string') return undefined;
  const error = payload.error as { code?: unknown; message?: unknown } | undefined;
  return {
    message,
    inReplyTo: payload.inReplyTo,
    text: message.text ?? '',
    final: payload.final !== false,
    error: error ? { code: String(error.code ?? ''), message: String(error.message ?? '') } : undefined,
  };
}

/** The answers among messages, by the question they belong to; of several, the final one, or else the latest. */
export class Answers {
  #byAsk = new Map<string, Answer>();

  /** Notes the answers in messages that are given in their order. True if there was one. */
  add(messages: MessageView[]): boolean {
    let added = false;
    for (const message of messages) {
      const answer = answerOf(message);
      if (!answer) continue;
      const known = this.#byAsk.get(key(answer.inReplyTo, message.direction));
      if (known?.final && !answer.final) continue;
      if (known && known.final === answer.final && known.message.seq > message.seq) continue;
      this.#byAsk.set(key(answer.inReplyTo, message.direction), answer);
      added = true;
    }
    return added;
  }

  /** The answer to a question: only one that went the other way counts. */
  to(ask: Pick<MessageView, 'messageId' | 'direction'>): Answer | undefined {
    return this.#byAsk.get(key(ask.messageId, ask.direction === 'out' ? 'in' : 'out'));
  }
}

function key(askId: string, direction: 'in' | 'out'): string {
  return `${direction} ${askId}`;
}
