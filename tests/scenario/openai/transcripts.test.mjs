// What providers really send, read by the library from a hit in either form.
import { after, before, test } from 'node:test';
import {
  checkTranscript, client, collect, startTranscripts, transcripts,
} from './lib/programs.mjs';

// Without what the library adds, and without null; and without what other providers add to chats, of
// which the library keeps the last delta alone.
const left = ['parsed', 'parsed_arguments', 'reasoning_content', 'native_finish_reason'];
const plain = (value) => JSON.parse(JSON.stringify(value, (name, member) => (
  member === null || left.includes(name) ? undefined : member)));

const usage = { stream_options: { include_usage: true } };
const endpoints = {
  chat: {
    plain: async (openai, model, word) => plain(await openai.chat.completions.create(
      { model, messages: [{ role: 'user', content: word }] })),
    streamed: async (openai, model, word) => plain(await openai.chat.completions.stream(
      { model, messages: [{ role: 'user', content: word }], ...usage }).finalChatCompletion()),
  },
  completions: {
    plain: async (openai, model, word) => plain(
      await openai.completions.create({ model, prompt: word })),
    streamed: async (openai, model, word) => {
      const chunks = await collect(await openai.completions.create(
        { model, prompt: word, stream: true, ...usage }));
      const texts = {};
      const reasons = {};
      const logprobs = {};
      for (const choice of chunks.flatMap((chunk) => chunk.choices)) {
        texts[choice.index] = (texts[choice.index] ?? '') + choice.text;
        reasons[choice.index] ??= choice.finish_reason ?? undefined;
        (logprobs[choice.index] ??= []).push(...(choice.logprobs?.tokens ?? []));
      }
      return plain([chunks[0].id, chunks[0].model, texts, reasons, logprobs, chunks.at(-1).usage]);
    },
  },
  responses: {
    plain: async (openai, model, word) => plain(
      await openai.responses.create({ model, input: word })),
    streamed: async (openai, model, word) => plain(
      await openai.responses.stream({ model, input: word }).finalResponse()),
  },
};

for (const [endpoint, forms] of Object.entries(endpoints)) {
  let provider;
  before(async () => {
    provider = await startTranscripts(endpoint);
  });
  after(() => provider?.stop());
  for (const name of transcripts(endpoint)) {
    test(`${endpoint}/${name} is read from a hit as from its provider`,
      () => checkTranscript(provider, name, client, forms));
  }
}
