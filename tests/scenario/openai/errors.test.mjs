import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { client, question, raw, startMock, startProxy } from './lib/programs.mjs';

let mock;
let proxy;

before(async () => {
  mock = await startMock();
  // What the provider says is looked at here, and not what the proxy does about it.
  proxy = await startProxy({ upstream: mock.url, options: ['--upstream-max-retries', '0'] });
});
after(async () => {
  await proxy?.stop();
  await mock?.stop();
});

for (const status of [429, 500, 503]) {
  test(`a ${status} of the provider passes as it is and is never stored`, async () => {
    const body = question({ model: `mock-status-${status}` });
    const own = await raw(mock, body);
    const asked = (await mock.counts()).requests;
    for (let i = 0; i < 2; i += 1) {
      const answer = await raw(proxy, body);
      assert.equal(answer.status, status);
      assert.equal(answer.text, own.text);
      assert.doesNotMatch(answer.cacheStatus ?? '', /; hit/);
    }
    assert.equal((await mock.counts()).requests, asked + 2);
  });
}

test('the client library throws its own kind of error', async () => {
  const openai = client(proxy);
  await assert.rejects(
    openai.chat.completions.create(question({ model: 'mock-status-429' })),
    OpenAI.RateLimitError,
  );
  await assert.rejects(
    openai.chat.completions.create({ model: 'gpt-4o', messages: [] }),
    OpenAI.BadRequestError,
  );
});

test('an answer cut short by the token limit is not stored', async () => {
  const body = question({ max_tokens: 3 });
  const asked = (await mock.counts()).requests;
  await raw(proxy, body);
  await raw(proxy, body);
  assert.equal((await mock.counts()).requests, asked + 2);
});

for (const stream of [true, false]) {
  test(`an answer that breaks off is not whole and not stored (stream: ${stream})`, async () => {
    const body = question({ model: 'mock-cut', stream });
    const asked = (await mock.counts()).requests;
    for (let i = 0; i < 2; i += 1) {
      const answer = await raw(proxy, body).catch((error) => error);
      const looksWhole = answer instanceof Error ? false : answer.status === 200;
      assert.equal(looksWhole, false);
    }
    // A body that is cut may be asked for again by a retry; it is never a hit.
    assert.ok((await mock.counts()).requests >= asked + 2);
    const metrics = await proxy.metrics();
    assert.equal(metrics['llm_edge_cache_outcomes_total{outcome="l1_hit"}'], 0);
  });
}

test('a provider that is not there is a 502 in the shape of the API', async () => {
  const dead = await startMock();
  await dead.stop();
  const own = await startProxy({ upstream: dead.url });
  try {
    const answer = await raw(own, question());
    assert.equal(answer.status, 502);
    const { error } = JSON.parse(answer.text);
    assert.equal(typeof error.code, 'string');
    assert.equal(typeof error.message, 'string');
    await assert.rejects(client(own).chat.completions.create(question()), OpenAI.InternalServerError);
  } finally {
    await own.stop();
  }
});

test('a body that is no JSON is for the provider to judge', async () => {
  const answer = await fetch(`${proxy.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"model":',
  });
  assert.equal(answer.status, 400);
  assert.equal((await answer.json()).error.type, 'invalid_request_error');
});
