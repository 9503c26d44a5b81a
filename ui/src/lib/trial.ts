import type { MessageView } from './api/types';

/** Ids of the messages that have arrived at the other side. */
export function arrivals(messages: MessageView[]): Set<string> {
  const there = messages.filter(({ direction, state }) => direction === 'out' && state === 'delivered');
  return new Set(there.map((message) => message.messageId));
}
