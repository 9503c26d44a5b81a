import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DOCUMENT, TYPES, typesOf } from '../scripts/schema.mjs';

// @vitest-environment node
it('the types are those of the document', async () => {
  const types = await typesOf(readFileSync(DOCUMENT, 'utf8'));
  expect(readFileSync(TYPES, 'utf8') === types, 'run `npm run schema` in ui/').toBe(true);
});
