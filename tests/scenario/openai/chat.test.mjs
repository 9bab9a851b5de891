import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, outcomes, question, raw, startMock, startProxy } from './lib/programs.mjs';

let mock;
let proxy;

before(async () => {
  mock = await startMock();
  proxy = await startProxy({ upstream: mock.url });
});
after(async () => {
  await proxy?.stop();
  await mock?.stop();
});

test('the second answer is a hit, byte for byte, and costs the provider nothing', async () => {
  const body = question();
  const asked = (await mock.counts()).requests;
  const first = await raw(proxy, body);
  const second = await raw(proxy, body);
  assert.match(first.cacheStatus, /^llm-edge-cache; fwd=miss/);
  assert.match(second.cacheStatus, /^llm-edge-cache; hit; ttl=\d+; detail=l1$/);
  assert.equal(second.text, first.text);
  assert.match(second.headers.get('age'), /^\d+$/);
  assert.match(second.headers.get('x-llm-cache-key'), /^[0-9a-f]{16}$/);
  assert.equal((await mock.counts()).requests, asked + 1);
});

test('the client library reads a hit as it reads a miss', async () => {
  const openai = client(proxy);
  const body = question();
  const first = await openai.chat.completions.create(body);
  const second = await openai.chat.completions.create(body);
  assert.deepEqual(second, first);
  assert.ok(second.usage.total_tokens > 0);
});

test('an answer is the one that the provider itself gives', async () => {
  const body = question();
  const own = await raw(mock, body);
  assert.equal((await raw(proxy, body)).text, own.text);
  assert.equal((await raw(proxy, body)).text, own.text);
});

test('order and white space of the request do not matter, every value does', async () => {
  const body = question({ temperature: 0.7 });
  await raw(proxy, body);
  const reordered = Object.fromEntries(Object.entries(body).reverse());
  assert.match((await raw(proxy, reordered)).cacheStatus, /; hit;/);
  assert.match((await raw(proxy, { ...body, temperature: 0.8 })).cacheStatus, /fwd=miss/);
  assert.match((await raw(proxy, { ...body, seed: 7 })).cacheStatus, /fwd=miss/);
});

test('no-store is neither answered from the cache nor kept', async () => {
  const body = question();
  const headers = { 'cache-control': 'no-store' };
  await raw(proxy, body, { headers });
  assert.match((await raw(proxy, body)).cacheStatus, /fwd=miss/);
  assert.doesNotMatch((await raw(proxy, body, { headers })).cacheStatus, /; hit/);
});

test('no-cache asks the provider again and keeps its answer', async () => {
  const body = question();
  await raw(proxy, body);
  const asked = (await mock.counts()).requests;
  const fresh = await raw(proxy, body, { headers: { 'cache-control': 'no-cache' } });
  assert.match(fresh.cacheStatus, /fwd=request/);
  assert.equal((await mock.counts()).requests, asked + 1);
  assert.match((await raw(proxy, body)).cacheStatus, /; hit;/);
});

test('several choices and JSON answers come back whole', async () => {
  const openai = client(proxy);
  for (const more of [{ n: 3 }, { response_format: { type: 'json_object' } }]) {
    const body = question(more);
    const first = await openai.chat.completions.create(body);
    assert.deepEqual(await openai.chat.completions.create(body), first);
    assert.equal(first.choices.length, more.n ?? 1);
  }
});

test('what is no cached endpoint passes through', async () => {
  const models = await client(proxy).models.list();
  assert.ok(models.data.length > 0);
  const missing = await fetch(`${proxy.url}/v1/nothing`);
  assert.equal(missing.status, 404);
});

test('the counters are those of what was asked', async () => {
  const own = await startProxy({ upstream: mock.url });
  try {
    const body = question();
    for (let i = 0; i < 5; i += 1) await raw(own, body);
    await raw(own, body, { headers: { 'cache-control': 'no-store' } });
    await client(own).models.list();
    const metrics = await own.metrics();
    assert.equal(metrics.llm_edge_requests_total, 7);
    const counted = outcomes(metrics);
    assert.equal(counted.l1_hit, 4);
    assert.equal(counted.miss, 1);
    assert.equal(counted.bypass, 2);
    assert.equal(metrics['llm_edge_cache_hits_total{tier="l1"}'], 4);
    assert.equal(metrics['llm_edge_cache_size_entries{tier="l1"}'], 1);
    assert.ok(metrics['llm_edge_cache_tokens_saved_total{model="gpt-4o"}'] > 0);
    // Of lookups in memory each thread times its first, and then one in 16.
    assert.ok(metrics['llm_edge_cache_latency_ms_count{tier="l1"}'] >= 1);
  } finally {
    await own.stop();
  }
});
