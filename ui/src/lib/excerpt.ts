import type { MessageView } from './api/types';

/** One line that stands for a message in a list. The whole of it is on its own page. */
export function excerpt(message: Pick<MessageView, 'text' | 'type' | 'payload'>): string {
  const line = message.text?.replace(/\s+/g, ' ').trim();
  if (line) return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
  return message.payload === undefined ? `${message.type}, content no longer kept` : message.type;
}

/** Enough for the widest window; the rest would only cost time. */
const LONGEST = 240;
