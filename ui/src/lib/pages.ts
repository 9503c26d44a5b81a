import type { MessageView } from './api/types';

/** The newest page, as last fetched, followed by older pages; a message that moved into both is shown once. */
export function mergePages(newest: MessageView[], older: MessageView[]): MessageView[] {
  const seen = new Set(newest.map((message) => message.seq));
  return [...newest, ...older.filter((message) => !seen.has(message.seq))];
}
