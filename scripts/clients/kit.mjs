// Shared code of the Node checks. Each `check*.mjs` is a program that scripts/check-clients starts
// as `check*.mjs PLAIN AUTH BIG PACED`: the addresses of a server without flags, of one with `-auth
// "Bearer test-key"`, of one with `-big-payload` and of one with paced streams.
//
// A program prints `ok   LABEL: NAME` or `FAIL LABEL: NAME : why` for each check and exits with
// 0 if all ran, whatever the results; check-clients counts the lines.

import OpenAI from 'openai';

export const [PLAIN, AUTH, BIG, PACED] = process.argv.slice(2);
// How check-clients starts PACED, in milliseconds: `-ttft 200 -itl 20 -tokens 10`.
export const [TTFT, ITL, TOKENS] = [200, 20, 10];
export const MODEL = 'gpt-4o-mini';
export const EMBEDDING_MODEL = 'text-embedding-3-small';
export const HELLO = [{ role: 'user', content: 'Hello' }];

// No retries: a second attempt would hide an error of the first.
export const SETTINGS = { maxRetries: 0, timeout: 30_000 };

const checks = [];
export const check = (name, body) => checks.push([name, body]);

export class Failed extends Error {}

export const short = (value) => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 200 ? text : text.slice(0, 200) + '...';
};

export function same(what, got, wanted) {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    throw new Failed(`${what} is ${short(got)}, wanted ${short(wanted)}`);
  }
}

export function that(holds, why) {
  if (!holds) throw new Failed(why);
}

// Tries every way before it fails, and names those that failed.
export async function every(ways) {
  const failures = new Map();
  for (const [name, way] of Object.entries(ways)) {
    try {
      await way();
    } catch (error) {
      const why = said(error);
      failures.set(why, [...(failures.get(why) ?? []), name]);
    }
  }
  const whys = [...failures].map(([why, names]) => `${names.join(', ')}: ${why}`);
  that(whys.length === 0, whys.join('; '));
}

// Checks that the server rejects a request, and that its message has this word.
export async function rejected(way, word) {
  try {
    await way();
  } catch (error) {
    that(String(error).includes(word), `the error is ${error}`);
    return;
  }
  that(false, 'it was not rejected');
}

// --- the client and its requests ------------------------------------------------------------

export const client = (base = PLAIN, more = {}) =>
  new OpenAI({ baseURL: base + '/v1', apiKey: 'test-key', ...SETTINGS, ...more });

export const chat = (by = client(), more = {}) =>
  by.chat.completions.create({ model: MODEL, messages: HELLO, ...more });

export const respond = (by = client(), more = {}) =>
  by.responses.create({ model: MODEL, input: 'Hello', ...more });

export const embed = (input = 'Hello', more = {}, by = client()) =>
  by.embeddings.create({ model: EMBEDDING_MODEL, input, ...more });

// --- errors and successful responses --------------------------------------------------------

// Describes the causes of an error, down to the system's error code (ECONNRESET and the like).
export function causes(error) {
  const said = [];
  for (let at = error; at; at = at.cause) {
    said.push(at.code ? `${at.message} (${at.code})` : at.message);
  }
  return said.join(', caused by ');
}

// The message of a failed check, on one line.
export function said(error) {
  const kind = error instanceof Failed ? '' : `${error?.constructor?.name}: `;
  return (kind + causes(error)).replace(/\s+/g, ' ');
}

// Returns the error of `call`, which must be of `kind` and in OpenAI's format.
export async function raises(kind, status, call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    if (error instanceof OpenAI.APIConnectionError) {
      throw new Failed(`no answer but ${causes(error)}`);
    }
    that(error instanceof kind, `threw ${error}, wanted ${kind.name}`);
    same('status', error.status, status);
    that(error.error, `the body is not OpenAI's: ${error.message}`);
    that(error.code, 'the error has no code');
    that(error.error.message, 'the error has no message');
    that(error.requestID, 'the error has no x-request-id');
    return error;
  }
  throw new Failed(`answered ${short(answer)}, wanted ${kind.name}`);
}

export const upTo = (count) => [...Array(count).keys()];
export const isNow = (seconds) => Math.abs(seconds - Date.now() / 1000) <= 5;

export function goodChat(answer, { model = MODEL, choices = 1 } = {}) {
  that(answer.id?.startsWith('cmpl-mock'), `id is ${answer.id}`);
  same('object', answer.object, 'chat.completion');
  same('model', answer.model, model);
  that(isNow(answer.created), `created is ${answer.created}, not now`);
  same('indexes', answer.choices.map((choice) => choice.index), upTo(choices));
  for (const choice of answer.choices) {
    same('finish_reason', choice.finish_reason, 'stop');
    same('role', choice.message.role, 'assistant');
    that(choice.message.content, 'content is empty');
  }
  const usage = answer.usage;
  same('total_tokens', usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
}

export function goodResponse(answer) {
  that(answer.id?.startsWith('resp-mock'), `id is ${answer.id}`);
  same('object', answer.object, 'response');
  same('model', answer.model, MODEL);
  same('status', answer.status, 'completed');
  that(isNow(answer.created_at), `created_at is ${answer.created_at}, not now`);
  that(answer.output_text, 'output_text is empty');
  const usage = answer.usage;
  same('total_tokens', usage.total_tokens, usage.input_tokens + usage.output_tokens);
}

export function goodVector(vector, size = 1536) {
  same('numbers', vector.length, size);
  const length = Math.hypot(...vector);
  that(Math.abs(length - 1) <= 1e-3, `length of the vector is ${length}`);
}

export function goodEmbeddings(answer, { inputs = 1, size = 1536, model = EMBEDDING_MODEL } = {}) {
  same('model', answer.model, model);
  same('indexes', answer.data.map((item) => item.index), upTo(inputs));
  for (const item of answer.data) goodVector(item.embedding, size);
  same('total_tokens', answer.usage.total_tokens, answer.usage.prompt_tokens);
}

// --- time -----------------------------------------------------------------------------------
// Lateness depends on this machine, but no token may be early.

export async function neverEarly(stream, hasToken) {
  // The overhead of a first call would hide an early token.
  for await (const _ of await stream());
  const start = performance.now();
  const arrivals = [];
  for await (const part of await stream()) {
    if (hasToken(part)) arrivals.push(performance.now() - start);
  }
  same('tokens', arrivals.length, TOKENS);
  arrivals.forEach((after, index) => {
    const due = TTFT + index * ITL;
    that(after >= due, `token ${index} came after ${after} ms, before ${due} ms`);
  });
}

// --- the end of each program ----------------------------------------------------------------

export async function run(label, versions) {
  console.log(`${label}: ${versions}`);
  for (const [name, body] of checks) {
    try {
      await body();
      console.log(`ok   ${label}: ${name}`);
    } catch (error) {
      console.log(`FAIL ${label}: ${name} : ${said(error)}`);
    }
  }
  // Open connections would keep the process alive for seconds.
  process.exit(0);
}
