import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, question, startMock, startProxy, uniqueWord } from './lib/programs.mjs';

let mock;
let proxy;

before(async () => {
  mock = await startMock('--error-rate', '0.3', '--seed', '7');
  proxy = await startProxy({ upstream: mock.url });
});
after(async () => {
  await proxy?.stop();
  await mock?.stop();
});

test('the client library retries over a provider that fails at times, on every endpoint', async () => {
  const openai = client(proxy, { maxRetries: 12 });
  const word = uniqueWord();
  for (let i = 0; i < 2; i += 1) {
    await openai.chat.completions.create({ ...question(), messages: [{ role: 'user', content: word }] });
    await openai.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: word });
    await openai.embeddings.create({ model: 'text-embedding-3-small', input: [word] });
    await openai.responses.create({ model: 'gpt-4.1', input: word });
  }
  const metrics = await proxy.metrics();
  assert.equal(metrics['llm_edge_cache_outcomes_total{outcome="l1_hit"}'], 4);
});
