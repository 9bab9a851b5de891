import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  checkRetries, client, collect, question, startMock, startProxy, uniqueWord,
} from './lib/programs.mjs';

let mock;
before(async () => {
  mock = await startMock();
});
after(() => mock?.stop());

function asksOf(proxy, maxRetries) {
  const openai = client(proxy, { maxRetries });
  const word = uniqueWord();
  const chat = question();
  const completion = { model: 'gpt-3.5-turbo-instruct', prompt: word };
  const response = { model: 'gpt-4.1', input: word };
  const streamed = (endpoint, body) => async () => collect(await endpoint.create({ ...body, stream: true }));
  return [
    () => openai.chat.completions.create(chat),
    streamed(openai.chat.completions, question()),
    () => openai.completions.create(completion),
    streamed(openai.completions, { ...completion, prompt: `${word} streamed` }),
    () => openai.responses.create(response),
    streamed(openai.responses, { ...response, input: `${word} streamed` }),
    () => openai.embeddings.create({ model: 'text-embedding-3-small', input: [word] }),
  ];
}

for (const status of [429, 503]) {
  test(`a ${status} with Retry-After is retried by the library or the proxy, on every endpoint`,
    () => checkRetries(mock, status, asksOf));
}

test('the client library retries over a provider that fails at times, on every endpoint', async () => {
  const flaky = await startMock('--error-rate', '0.3', '--seed', '7');
  const proxy = await startProxy({ upstream: flaky.url });
  try {
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
  } finally {
    await proxy.stop();
    await flaky.stop();
  }
});
