/** Every word the widget says by itself. Another language is one more table with the same keys. */

/** Numbers in the bundle, so that names cost no bytes. */
export const enum Word {
  title,
  subtitle,
  greeting,
  open,
  close,
  fresh,
  log,
  placeholder,
  message,
  send,
  stop,
  you,
  thinking,
  searching,
  reconnecting,
  stopped,
  unread,
  sources,
  source,
  openSource,
  page,
  count,
  long,
  retry,
  retryIn,
  network,
  busy,
  down,
  denied,
  failed,
}

export type Words = Record<Word, string>;

const en: Words = {
  [Word.title]: "Concierge",
  [Word.subtitle]: "AI · answers with sources",
  [Word.greeting]: "Hello! What would you like to know? My answers come with their sources.",
  [Word.open]: "Open chat",
  [Word.close]: "Close chat",
  [Word.fresh]: "Start a new conversation",
  [Word.log]: "Conversation",
  [Word.placeholder]: "Ask a question…",
  [Word.message]: "Your message",
  [Word.send]: "Send",
  [Word.stop]: "Stop answering",
  [Word.you]: "You said:",
  [Word.thinking]: "Thinking…",
  [Word.searching]: "Looking it up…",
  [Word.reconnecting]: "Reconnecting…",
  [Word.stopped]: "Stopped.",
  [Word.unread]: "New answer",
  [Word.sources]: "Sources",
  [Word.source]: "Source {0}",
  [Word.openSource]: "Open the page ↗",
  [Word.page]: "page {0}",
  [Word.count]: "{0} of {1} characters",
  [Word.long]: "{0} characters: shorter questions get better answers.",
  [Word.retry]: "Try again",
  [Word.retryIn]: "Try again in {0} s",
  [Word.network]: "I could not reach the server. Are you online?",
  [Word.busy]: "Many people are asking right now. Please give it a moment.",
  [Word.down]: "I'm briefly unavailable. Please give it a moment.",
  [Word.denied]: "This chat is not available here.",
  [Word.failed]: "Something went wrong on our side.",
};

const tables: Record<string, Words> = { en };

/** The table for a language tag such as `en-GB`; English where there is none. */
export function wordsFor(language: string): Words {
  return tables[language.toLowerCase().split("-")[0] ?? ""] ?? en;
}

/** `fill("{0} of {1}", 3, 5)` → `3 of 5`, with the thousands separators of the visitor's language. */
export function fill(text: string, ...values: number[]): string {
  return values.reduce((filled, value, index) => filled.replace(`{${index}}`, value.toLocaleString()), text);
}
