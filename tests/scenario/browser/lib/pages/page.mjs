// What every page can do for a test. An answer that the browser keeps from it is `{unreadable}`.
const fieldsOf = (headers) => Object.fromEntries(headers.entries());

// What a library's promise comes to; `word` says what a part of a stream adds to the text.
export async function read(library, promise, word) {
  try {
    const { data, response } = await promise.withResponse();
    const answer = Symbol.asyncIterator in data ? await collect(data, word) : data;
    return { status: response.status, fields: fieldsOf(response.headers), answer };
  } catch (error) {
    if (error instanceof library.APIConnectionError) return { unreadable: `${error.cause}` };
    if (!(error instanceof library.APIError)) throw error;
    const { status, message, headers } = error;
    return { status, message, error: error.constructor.name, fields: fieldsOf(headers) };
  }
}

async function collect(stream, word) {
  const parts = [];
  for await (const part of stream) {
    if (word(part)) await window.heard(word(part));
    parts.push(part);
  }
  return parts;
}

window.get = async (url, options) => {
  try {
    const answer = await fetch(url, options);
    return { status: answer.status, type: answer.type, text: await answer.text() };
  } catch (error) {
    return { unreadable: `${error}` };
  }
};
