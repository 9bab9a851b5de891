import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, question, raw, startMock, startProxy, startRedis } from './lib/programs.mjs';

let mock;
let redis;
let state;

before(async () => {
  mock = await startMock();
  redis = await startRedis();
  state = mkdtempSync(join(tmpdir(), 'lec-state-'));
});
after(async () => {
  await redis?.stop();
  await mock?.stop();
  if (state) rmSync(state, { recursive: true, force: true });
});

const startStoring = () =>
  startProxy({
    upstream: mock.url,
    options: ['--l2', redis.url],
    env: { XDG_STATE_HOME: state },
  });

const written = (proxy, entries) =>
  eventually(
    async () => (await proxy.metrics())['llm_edge_cache_writes_total{tier="l2"}'] === entries,
    'the answer is in the store',
  );

test('a restart finds in the store what was paid for before', async () => {
  const plain = question();
  const streamed = question({ stream: true });
  const before_ = await startStoring();
  const answers = [await raw(before_, plain), await raw(before_, streamed)];
  assert.equal(await before_.stop(), 0); // writes that wait are flushed
  const asked = (await mock.counts()).requests;

  const restarted = await startStoring();
  try {
    for (const [i, body] of [plain, streamed].entries()) {
      const again = await raw(restarted, body);
      assert.match(again.cacheStatus, /; hit; ttl=\d+; detail=l2/);
      assert.equal(again.text, answers[i].text);
      assert.match((await raw(restarted, body)).cacheStatus, /detail=l1/);
    }
    assert.equal((await mock.counts()).requests, asked);
    const metrics = await restarted.metrics();
    assert.equal(metrics['llm_edge_cache_hits_total{tier="l2"}'], 2);
    assert.equal(metrics['llm_edge_cache_hits_total{tier="l1"}'], 2);
  } finally {
    await restarted.stop();
  }
});

test('a second instance hits what the first has stored, and keeps tenants apart', async () => {
  const first = await startStoring();
  const second = await startStoring();
  try {
    const body = question();
    await raw(first, body);
    await written(first, 1);
    assert.match((await raw(second, body)).cacheStatus, /detail=l2/);
    assert.match((await raw(second, body, { apiKey: 'sk-bob' })).cacheStatus, /fwd=miss/);
  } finally {
    await first.stop();
    await second.stop();
  }
});

test('the secret of scopes is the user\'s alone', () => {
  const { mode } = statSync(join(state, 'llm-edge-cache', 'secret'));
  assert.equal(mode & 0o777, 0o600);
});

test('a store that is down at the start costs hits, not answers', async () => {
  const proxy = await startProxy({
    upstream: mock.url,
    options: ['--l2', `redis+unix://${join(state, 'nobody.sock')}`],
    env: { XDG_STATE_HOME: state },
  });
  try {
    const body = question();
    assert.equal((await raw(proxy, body)).status, 200);
    assert.match((await raw(proxy, body)).cacheStatus, /detail=l1/);
    const ready = await fetch(`${proxy.adminUrl}/readyz`);
    assert.equal(ready.status, 200);
    await eventually(async () => {
      const { tiers } = await (await fetch(`${proxy.adminUrl}/readyz`)).json();
      return tiers.l2 === 'degraded';
    }, 'the proxy says that its store is away');
  } finally {
    await proxy.stop();
  }
});
