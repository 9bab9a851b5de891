import OpenAI from 'openai';
import { read } from './page.mjs';

window.ask = ({ proxy, body, apiKey = 'sk-alice', headers = {} }) => {
  const openai = new OpenAI({
    apiKey,
    baseURL: `${proxy}/v1`,
    maxRetries: 0,
    defaultHeaders: headers,
    dangerouslyAllowBrowser: true,
  });
  const promise = openai.chat.completions.create(body);
  return read(OpenAI, promise, (part) => part.choices[0]?.delta?.content);
};
