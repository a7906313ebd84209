// Checks a running mocker with the Node OpenAI client. Started by scripts/check-clients as
// `check.mjs PLAIN AUTH BIG`: the addresses of a server without flags, of one with
// `-auth "Bearer test-key"` and of one with `-big-payload`.
//
// Prints `ok   node: NAME` or `FAIL node: NAME : why` for each check and ends with 0 when all
// ran, whatever they found; check-clients counts the lines.

import net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import OpenAI, { AzureOpenAI } from 'openai';
import { VERSION } from 'openai/version';

const [PLAIN, AUTH, BIG] = process.argv.slice(2);
const MODEL = 'gpt-4o-mini';
const EMBEDDING_MODEL = 'text-embedding-3-small';
const HELLO = [{ role: 'user', content: 'Hello' }];
const MAX_BODY = 50 * 1024 * 1024; // mocker's default for a request body
const TRIES = 5;

// No retries: a second try would hide an error of the first.
const SETTINGS = { maxRetries: 0, timeout: 30_000 };

const checks = [];
const check = (name, body) => checks.push([name, body]);

// --- helpers --------------------------------------------------------------------------------

class Failed extends Error {}

const short = (value) => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 200 ? text : text.slice(0, 200) + '...';
};

function same(what, got, wanted) {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    throw new Failed(`${what} is ${short(got)}, wanted ${short(wanted)}`);
  }
}

function that(holds, why) {
  if (!holds) throw new Failed(why);
}

const client = (base = PLAIN, more = {}) =>
  new OpenAI({ baseURL: base + '/v1', apiKey: 'test-key', ...SETTINGS, ...more });

const azure = (more = {}) =>
  new AzureOpenAI({
    apiKey: 'test-key',
    endpoint: AUTH,
    apiVersion: '2024-10-21',
    deployment: 'dep-1',
    ...SETTINGS,
    ...more,
  });

const chat = (by = client(), more = {}) =>
  by.chat.completions.create({ model: MODEL, messages: HELLO, ...more });

const embed = (input = 'Hello', more = {}, by = client()) =>
  by.embeddings.create({ model: EMBEDDING_MODEL, input, ...more });

// What an error came from, down to the system's own word for it (ECONNRESET and the like).
function causes(error) {
  const said = [];
  for (let at = error; at; at = at.cause) {
    said.push(at.code ? `${at.message} (${at.code})` : at.message);
  }
  return said.join(', caused by ');
}

// The error that `call` ends with, which must be of `kind` and in OpenAI's shape.
async function raises(kind, status, call) {
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

const upTo = (count) => [...Array(count).keys()];
const isNow = (seconds) => Math.abs(seconds - Date.now() / 1000) <= 5;

function goodChat(answer, { model = MODEL, choices = 1 } = {}) {
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

function goodResponse(answer) {
  that(answer.id?.startsWith('resp-mock'), `id is ${answer.id}`);
  same('object', answer.object, 'response');
  same('model', answer.model, MODEL);
  same('status', answer.status, 'completed');
  that(isNow(answer.created_at), `created_at is ${answer.created_at}, not now`);
  that(answer.output_text, 'output_text is empty');
  const usage = answer.usage;
  same('total_tokens', usage.total_tokens, usage.input_tokens + usage.output_tokens);
}

function goodEmbeddings(answer, { inputs = 1, size = 1536, model = EMBEDDING_MODEL } = {}) {
  same('model', answer.model, model);
  same('indexes', answer.data.map((item) => item.index), upTo(inputs));
  for (const item of answer.data) {
    same('numbers', item.embedding.length, size);
    const length = Math.hypot(...item.embedding);
    that(Math.abs(length - 1) <= 1e-3, `length of the vector is ${length}`);
  }
  same('total_tokens', answer.usage.total_tokens, answer.usage.prompt_tokens);
}

// Passes bytes to a server and counts connections, whatever HTTP library the client uses.
async function countingRelay(base) {
  const { hostname, port } = new URL(base);
  const relay = { connections: 0 };
  const listener = net.createServer((near) => {
    relay.connections += 1;
    const far = net.connect({ host: hostname.replace(/[[\]]/g, ''), port, autoSelectFamily: true });
    near.pipe(far);
    far.pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  await new Promise((ready) => listener.listen(0, '127.0.0.1', ready));
  relay.base = `http://127.0.0.1:${listener.address().port}`;
  return relay;
}

// --- chat -----------------------------------------------------------------------------------

check('chat', async () => goodChat(await chat()));

check('chat 50 at once, 4 rounds', async () => {
  const by = client();
  const ids = new Set();
  for (const _ of upTo(4)) {
    for (const answer of await Promise.all(upTo(50).map(() => chat(by)))) {
      goodChat(answer);
      ids.add(answer.id);
    }
  }
  same('different ids', ids.size, 200);
});

check('chat n=3', async () => goodChat(await chat(client(), { n: 3 }), { choices: 3 }));

check('chat echoes an odd model', async () => {
  const model = 'my/model:v1';
  goodChat(await chat(client(), { model }), { model });
});

check('chat max_tokens=3', async () => {
  for (const limit of ['max_tokens', 'max_completion_tokens']) {
    const answer = await chat(client(), { [limit]: 3 });
    same(`${limit}: finish_reason`, answer.choices[0].finish_reason, 'length');
    same(`${limit}: completion_tokens`, answer.usage.completion_tokens, 3);
    same(`${limit}: words`, answer.choices[0].message.content.trim().split(/\s+/).length, 3);
  }
});

check('chat request id', async () => {
  const { data, response, request_id } = await chat().withResponse();
  const sent = response.headers.get('x-request-id');
  that(sent, 'no x-request-id');
  same('request_id', request_id, sent);
  same('_request_id', data._request_id, sent);
});

check('chat big payload', async () => {
  const answer = await chat(client(BIG));
  goodChat(answer);
  const { length } = answer.choices[0].message.content;
  that(length >= 9000, `content has ${length} characters, wanted 9000 or more`);
});

check('chat stream: true', async () => {
  let text = '';
  for await (const chunk of await chat(client(), { stream: true })) {
    text += chunk.choices[0].delta.content ?? '';
  }
  same('text', text, (await chat(client())).choices[0].message.content);
});

check('responses', async () => {
  goodResponse(await client().responses.create({ model: MODEL, input: 'Hello' }));
});

check('responses max_output_tokens=3', async () => {
  const asked = { model: MODEL, input: 'Hello', max_output_tokens: 3 };
  const answer = await client().responses.create(asked);
  same('status', answer.status, 'incomplete');
  same('reason', answer.incomplete_details?.reason, 'max_output_tokens');
});

// --- embeddings -----------------------------------------------------------------------------

check("embeddings as base64, the client's default", async () => {
  // This client decodes in place of the caller; fetch's own body shows what was sent.
  let sent;
  const spy = async (...request) => {
    const response = await fetch(...request);
    sent = await response.clone().json();
    return response;
  };
  goodEmbeddings(await embed('Hello', {}, client(PLAIN, { fetch: spy })));
  same('vector', typeof sent.data[0].embedding, 'string');
});

check('embeddings as float', async () => {
  goodEmbeddings(await embed('Hello', { encoding_format: 'float' }));
});

check('embeddings base64 and float agree', async () => {
  const one = (await embed()).data[0].embedding;
  const other = (await embed('Hello', { encoding_format: 'float' })).data[0].embedding;
  same('numbers', one.length, other.length);
  const apart = Math.max(...upTo(one.length).map((i) => Math.abs(one[i] - other[i])));
  that(apart <= 1e-6, `they are ${apart} apart`);
});

check('embeddings of 3 texts', async () => {
  for (const encoding of [{}, { encoding_format: 'float' }]) {
    const answer = await embed(['one', 'two', 'three'], encoding);
    goodEmbeddings(answer, { inputs: 3 });
    same('different vectors', new Set(answer.data.map((item) => item.embedding.join())).size, 3);
  }
});

check('embeddings of tokens', async () => {
  goodEmbeddings(await embed([1, 2, 3]));
  goodEmbeddings(await embed([[1, 2, 3], [4, 5]]), { inputs: 2 });
});

check('embeddings dimensions=256', async () => {
  for (const encoding of [{}, { encoding_format: 'float' }]) {
    goodEmbeddings(await embed('Hello', { dimensions: 256, ...encoding }), { size: 256 });
  }
});

check('embeddings big payload', async () => {
  goodEmbeddings(await embed('Hello', {}, client(BIG)), { size: 4096 });
  goodEmbeddings(await embed('Hello', { encoding_format: 'float' }, client(BIG)), { size: 4096 });
});

// --- keys and Azure -------------------------------------------------------------------------

check('auth right key', async () => goodChat(await chat(client(AUTH))));

check('auth wrong key', async () => {
  const by = client(AUTH, { apiKey: 'wrong' });
  await raises(OpenAI.PermissionDeniedError, 403, () => chat(by));
});

check('auth no key', async () => {
  const by = client(AUTH, { defaultHeaders: { Authorization: null } });
  await raises(OpenAI.PermissionDeniedError, 403, () => chat(by));
});

check('azure chat', async () => goodChat(await chat(azure()), { model: 'dep-1' }));

check('azure embeddings', async () => {
  goodEmbeddings(await embed('Hello', {}, azure()), { model: 'dep-1' });
});

check('azure deployment is the model, whatever the body says', async () => {
  const model = undefined; // Left out of the JSON.
  goodChat(await chat(azure(), { model }), { model: 'dep-1' });
});

check('azure wrong key', async () => {
  await raises(OpenAI.PermissionDeniedError, 403, () => chat(azure({ apiKey: 'wrong' })));
});

// --- errors and sizes -----------------------------------------------------------------------

check('unknown path', async () => {
  await raises(OpenAI.NotFoundError, 404, () => client().post('/no-such-thing', { body: {} }));
});

check('malformed requests', async () => {
  const calls = {
    'n: 0': () => chat(client(), { n: 0 }),
    "stream: 'yes'": () => chat(client(), { stream: 'yes' }),
    'an empty input': () => embed(''),
    '2049 inputs': () => embed(Array(2049).fill('a')),
  };
  for (const [what, call] of Object.entries(calls)) {
    await raises(OpenAI.BadRequestError, 400, call).catch((error) => {
      throw new Failed(`${what}: ${error.message}`);
    });
  }
});

check('chat with a prompt of 10 MB', async () => {
  const messages = [{ role: 'user', content: 'x'.repeat(10_000_000) }];
  goodChat(await chat(client(), { messages }));
});

check('chat with a prompt over 50 MB', async () => {
  // mocker answers before it has read it all; the client must still get to see the answer. If
  // the server hangs up too early that is a matter of luck, hence several tries.
  const messages = [{ role: 'user', content: 'x'.repeat(MAX_BODY + 1) }];
  for (const _ of upTo(TRIES)) {
    await raises(OpenAI.APIError, 413, () => chat(client(), { messages }));
  }
});

check('200 calls on one connection', async () => {
  const relay = await countingRelay(PLAIN);
  const by = client(relay.base);
  for (const _ of upTo(200)) {
    await chat(by);
    // Node's fetch hands the answer over just before its connection is free again; a call at
    // that very moment opens a second one, which is no fault of the server.
    await setImmediate();
  }
  same('connections', relay.connections, 1);
});

console.log(`node ${process.versions.node}, openai ${VERSION}`);
for (const [name, body] of checks) {
  try {
    await body();
    console.log(`ok   node: ${name}`);
  } catch (error) {
    const kind = error instanceof Failed ? '' : `${error?.constructor?.name}: `;
    const why = kind + causes(error);
    console.log(`FAIL node: ${name} : ${why.replace(/\s+/g, ' ')}`);
  }
}
// Connections kept alive would hold the process for seconds more.
process.exit(0);
