// The programs under test, seen by OpenAI's client library.
import OpenAI from 'openai';
import { post, uniqueWord } from '../../lib/programs.mjs';

export * from '../../lib/programs.mjs';

export function client(proxy, { apiKey = 'sk-alice', headers = {}, maxRetries = 0 } = {}) {
  return new OpenAI({
    apiKey,
    baseURL: `${proxy.url}/v1`,
    maxRetries,
    defaultHeaders: headers,
  });
}

// A chat request that no other test asks.
export function question(more = {}) {
  return {
    model: 'gpt-4o',
    messages: [{ role: 'user', content: `Question ${uniqueWord()}: what is a cache?` }],
    ...more,
  };
}

export function raw(
  proxy,
  body,
  { apiKey = 'sk-alice', headers = {}, signal, path = '/v1/chat/completions' } = {},
) {
  return post(proxy, path, body, {
    headers: { authorization: `Bearer ${apiKey}`, ...headers },
    signal,
  });
}

export const textOf = (chunks) =>
  chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? '').join('');
