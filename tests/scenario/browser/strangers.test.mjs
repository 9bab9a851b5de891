// Pages that are not named, and a proxy that names none.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  costOf, post, startBrowser, startMock, startPermissive, startProxy, uniqueWord,
} from './lib/programs.mjs';
import { startSite } from './lib/site.mjs';

let browser;
let site;
let strangersSite;
let mock;
let proxy;
let page;
let stranger;

before(async () => {
  browser = await startBrowser();
  site = await startSite();
  strangersSite = await startSite();
  mock = await startMock();
  proxy = await startProxy({ upstream: mock.url, options: ['--cors-origins', site.url] });
  page = await browser.open(site, 'openai');
  stranger = await browser.open(strangersSite, 'openai');
});
after(async () => {
  for (const program of [browser, proxy, mock, site, strangersSite]) await program?.stop();
});

// A request that no other test makes.
const question = () => ({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: `Question ${uniqueWord()}: what is a cache?` }],
});
const path = '/v1/chat/completions';
const isHit = ({ fields }) => assert.match(fields['cache-status'], /^llm-edge-cache; hit; ttl=\d+/);

test('a page that is not named reads neither misses nor hits, and costs nothing', async () => {
  const [unknown, known] = [question(), question()];
  assert.equal((await page.ask({ proxy: proxy.url, body: known })).status, 200);
  for (const body of [unknown, known]) {
    const { answer, calls } = await costOf(mock, () => stranger.ask({ proxy: proxy.url, body }));
    assert.match(answer.unreadable, /Failed to fetch/);
    assert.equal(calls, 0);
  }
  isHit(await page.ask({ proxy: proxy.url, body: known }));
});

test('a page that is not named reads nothing of what needs no preflight', async () => {
  // A form's type, and no key: the browser sends it without asking first.
  const body = JSON.stringify(question());
  const headers = { 'content-type': 'text/plain' };
  await post(proxy, path, JSON.parse(body));
  for (const url of [`${proxy.url}${path}`, `${proxy.url}/v1/models`]) {
    const options = url.endsWith(path) ? { method: 'POST', headers, body } : {};
    assert.equal((await page.get(url, options)).status, 200, url);
    assert.match((await stranger.get(url, options)).unreadable, /Failed to fetch/);
    const opaque = await stranger.get(url, { ...options, mode: 'no-cors' });
    assert.deepEqual(opaque, { status: 0, type: 'opaque', text: '' });
  }
});

test('cookies are not let in, not even from a page that is named', async () => {
  const url = `${proxy.url}/v1/models`;
  assert.equal((await page.get(url)).status, 200);
  assert.match((await page.get(url, { credentials: 'include' })).unreadable, /Failed to fetch/);
});

test('* lets every page read answers, and none the admin listener', async () => {
  const own = await startProxy({ upstream: mock.url, options: ['--cors-origins', '*'] });
  try {
    const body = question();
    for (const one of [page, stranger]) {
      assert.equal((await one.ask({ proxy: own.url, body })).status, 200);
      assert.match((await one.get(`${own.adminUrl}/stats`)).unreadable, /Failed to fetch/);
    }
    isHit(await stranger.ask({ proxy: own.url, body }));
  } finally {
    await own.stop();
  }
});

test('without --cors-origins a page reads what its provider lets it, and no hit', async () => {
  const permissive = await startPermissive(mock);
  const own = await startProxy({ upstream: permissive.url });
  try {
    const request = { proxy: own.url, body: question() };
    const miss = await page.ask(request);
    assert.match(miss.fields['cache-status'], /^llm-edge-cache; fwd=miss/);
    const { answer: hit, calls } = await costOf(mock, () => page.ask(request));
    assert.match(hit.unreadable, /Failed to fetch/);
    assert.equal(calls, 0);
    const headers = { authorization: 'Bearer sk-alice' };
    assert.match((await post(own, path, request.body, { headers })).cacheStatus, /; hit; ttl=\d+/);
  } finally {
    await own.stop();
    await permissive.stop();
  }
});
