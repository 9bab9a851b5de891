import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import {
  checkRetries, client, collect, costOf, eventually, question, raw, startMock, startProxy,
} from './lib/programs.mjs';

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

for (const status of [429, 500, 529]) {
  test(`a ${status} of the provider passes as it is and is never stored`, async () => {
    const body = question({ model: `mock-status-${status}` });
    const own = await raw(mock, body);
    for (let i = 0; i < 2; i += 1) {
      const { answer, calls } = await costOf(mock, () => raw(proxy, body));
      assert.equal(answer.status, status);
      assert.equal(answer.text, own.text);
      assert.equal(calls, 1);
    }
  });
}

test('the client library throws its own kind of error', async () => {
  const anthropic = client(proxy);
  await assert.rejects(
    anthropic.messages.create(question({ model: 'mock-status-429' })),
    Anthropic.RateLimitError,
  );
  await assert.rejects(
    anthropic.messages.create(question({ messages: [] })),
    Anthropic.BadRequestError,
  );
});

test('an answer cut short by the token limit is not stored', async () => {
  for (const stream of [false, true]) {
    const body = question({ max_tokens: 2, stream });
    await raw(proxy, body);
    assert.equal((await costOf(mock, () => raw(proxy, body))).calls, 1);
  }
});

test('an answer that breaks off is not whole and not stored', async () => {
  for (const stream of [false, true]) {
    const body = question({ model: 'mock-cut', stream });
    const asked = (await mock.counts()).requests;
    for (let i = 0; i < 2; i += 1) {
      const answer = await raw(proxy, body).catch((error) => error);
      assert.ok(answer instanceof Error || answer.status !== 200);
    }
    assert.ok((await mock.counts()).requests >= asked + 2);
  }
});

test('an error of the proxy has the shape of the API', async () => {
  const dead = await startMock();
  await dead.stop();
  const own = await startProxy({ upstream: dead.url });
  try {
    for (const path of ['/v1/messages', '/v1/messages/count_tokens']) {
      const answer = await raw(own, question(), { path });
      assert.equal(answer.status, 502);
      const body = JSON.parse(answer.text);
      assert.equal(body.type, 'error');
      assert.equal(body.error.type, 'api_error');
      assert.equal(body.error.code, 'upstream_connect_failed');
    }
    await assert.rejects(client(own).messages.create(question()), Anthropic.InternalServerError);
  } finally {
    await own.stop();
  }
});

test('a client that hangs up does not end the call', async () => {
  const slow = await startMock('--ttft-ms', '10', '--tokens-per-second', '200');
  const own = await startProxy({ upstream: slow.url });
  try {
    const body = question({ stream: true });
    const stream = await client(own).messages.create(body);
    for await (const event of stream) {
      if (event.type === 'content_block_delta') break; // leaves the loop, which aborts
    }
    await eventually(
      async () => (await own.metrics()).llm_edge_flights_active === 0, 'the call ends by itself');
    const again = await costOf(slow, async () => collect(await client(own).messages.create(body)));
    assert.equal(again.calls, 0);
    assert.equal(again.answer.at(-1).type, 'message_stop');
  } finally {
    await own.stop();
    await slow.stop();
  }
});

test('the client library retries over a provider that fails at times', async () => {
  const flaky = await startMock('--error-rate', '0.5', '--seed', '3');
  const own = await startProxy({ upstream: flaky.url });
  try {
    const anthropic = client(own, { maxRetries: 12 });
    const body = question();
    const first = await anthropic.messages.create(body);
    assert.deepEqual(await anthropic.messages.create(body), first);
  } finally {
    await own.stop();
    await flaky.stop();
  }
});

for (const status of [429, 503]) {
  test(`a ${status} with Retry-After is retried by the library or the proxy`, () => (
    checkRetries(mock, status, (proxy_, maxRetries) => {
      const anthropic = client(proxy_, { maxRetries });
      return [anthropic.messages, anthropic.beta.messages].flatMap((api) => {
        const body = question();
        const streamed = question({ stream: true });
        return [() => api.create(body), async () => collect(await api.create(streamed))];
      });
    })));
}
