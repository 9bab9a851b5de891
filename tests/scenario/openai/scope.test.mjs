import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { outcomes, question, raw, startMock, startProxy } from './lib/programs.mjs';

let mock;

before(async () => {
  mock = await startMock();
});
after(() => mock?.stop());

test('two credentials never share an answer', async () => {
  const proxy = await startProxy({ upstream: mock.url });
  try {
    const body = question();
    const asked = (await mock.counts()).requests;
    for (const apiKey of ['sk-alice', 'sk-bob', 'sk-alic', 'sk-alicee']) {
      assert.match((await raw(proxy, body, { apiKey })).cacheStatus, /fwd=miss/);
      assert.match((await raw(proxy, body, { apiKey })).cacheStatus, /; hit;/);
    }
    assert.equal((await mock.counts()).requests, asked + 4);
    assert.deepEqual(outcomes(await proxy.metrics()), { miss: 4, l1_hit: 4 });
  } finally {
    await proxy.stop();
  }
});

test('callers share where the operator says so', async () => {
  const proxy = await startProxy({ upstream: mock.url, options: ['--scope', 'shared'] });
  try {
    const body = question();
    await raw(proxy, body, { apiKey: 'sk-alice' });
    assert.match((await raw(proxy, body, { apiKey: 'sk-bob' })).cacheStatus, /; hit;/);
  } finally {
    await proxy.stop();
  }
});

test('no credential shows up in the log', async () => {
  const proxy = await startProxy({ upstream: mock.url, options: ['--log-level', 'trace'] });
  const apiKey = 'sk-very-secret-credential';
  await raw(proxy, question(), { apiKey });
  await raw(proxy, question({ model: 'mock-status-500' }), { apiKey });
  await proxy.stop();
  assert.doesNotMatch(proxy.log(), /very-secret/);
});
