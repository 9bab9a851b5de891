// The programs under test, seen by Anthropic's client library.
import Anthropic from '@anthropic-ai/sdk';
import { post, uniqueWord } from '../../lib/programs.mjs';

export * from '../../lib/programs.mjs';

export function client(proxy, { apiKey = 'sk-ant-alice', maxRetries = 0 } = {}) {
  return new Anthropic({ apiKey, authToken: null, baseURL: proxy.url, maxRetries });
}

// A request that no other test makes.
export function question(more = {}) {
  return {
    model: 'mock-large',
    max_tokens: 1024,
    messages: [{ role: 'user', content: `Question ${uniqueWord()}: what is a cache?` }],
    ...more,
  };
}

export function raw(
  proxy,
  body,
  { apiKey = 'sk-ant-alice', headers = {}, signal, path = '/v1/messages' } = {},
) {
  return post(proxy, path, body, {
    headers: { 'x-api-key': apiKey, 'anthropic-version': '2023-06-01', ...headers },
    signal,
  });
}

// A message as the API says it: without what the library adds, and without what is undefined.
export const plain = (message) => JSON.parse(
  JSON.stringify(message, (name, value) => (name === 'parsed_output' ? undefined : value)),
);
