/** Where a text stops being JSON, and what was expected there. */
export interface Mistake {
  offset: number;
  reason: string;
}

/**
 * Finds the first mistake in a text that `JSON.parse` refuses. The browsers' own messages differ, and WebKit's have no
 * place in them.
 */
export function findMistake(text: string): Mistake {
  let at = 0;

  const fail = (expected: string): never => {
    throw at >= text.length
      ? new Found({ offset: text.length, reason: `It ends where ${expected} is expected.` })
      : new Found({ offset: at, reason: `Here ${expected} is expected.` });
  };
  const blank = () => {
    while (' \t\n\r'.includes(text[at] ?? 'x')) at += 1;
  };
  const take = (char: string) => {
    blank();
    if (text[at] !== char) return false;
    at += 1;
    return true;
  };
  const match = (pattern: RegExp, expected: string) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) return fail(expected);
    at += found[0].length;
  };

  const string = () => {
    match(/"/y, 'a name in double quotes');
    match(/(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y, 'a character');
    if (text[at] === '\n' || text[at] === '\r') fail('the closing quote, with line breaks written as \\n,');
    if (text[at] === '\\') fail('an escape such as \\n or \\u00e9');
    if (text[at] !== '"') fail('the closing quote');
    at += 1;
  };
  const members = (close: string, member: () => void) => {
    at += 1;
    if (take(close)) return;
    do member();
    while (take(','));
    if (!take(close)) fail(`"," or "${close}"`);
  };
  const value = () => {
    blank();
    const first = text[at] ?? '';
    if (first === '{') {
      members('}', () => {
        blank();
        string();
        if (!take(':')) fail('":"');
        value();
      });
    } else if (first === '[') members(']', value);
    else if (first === '"') string();
    else match(/(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y, 'a value');
  };

  try {
    value();
    blank();
    if (at < text.length) return { offset: at, reason: 'Nothing more is expected here.' };
    return { offset: at, reason: 'It cannot be read.' };
  } catch (error) {
    if (error instanceof Found) return error.mistake;
    // Nested deeper than the stack is: no person types that.
    return { offset: at, reason: 'It is nested too deeply.' };
  }
}

/** Ends the walk. */
class Found extends Error {
  constructor(readonly mistake: Mistake) {
    super(mistake.reason);
  }
}
