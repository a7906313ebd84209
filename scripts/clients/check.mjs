// Checks of responses with the Node OpenAI client: chat, responses, embeddings, keys, errors.

import net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import OpenAI, { AzureOpenAI } from 'openai';
import { VERSION } from 'openai/version';
import {
  AUTH,
  BIG,
  MODEL,
  PLAIN,
  SETTINGS,
  Failed,
  chat,
  check,
  client,
  embed,
  goodChat,
  goodEmbeddings,
  goodResponse,
  raises,
  respond,
  run,
  same,
  that,
  upTo,
} from './kit.mjs';

const MAX_BODY = 50 * 1024 * 1024; // mocker's default for a request body
const TRIES = 5;

const azure = (more = {}) =>
  new AzureOpenAI({
    apiKey: 'test-key',
    endpoint: AUTH,
    apiVersion: '2024-10-21',
    deployment: 'dep-1',
    ...SETTINGS,
    ...more,
  });

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

check('chat logprobs', async () => {
  const [choice] = (await chat(client(), { logprobs: true, top_logprobs: 2 })).choices;
  const entries = choice.logprobs.content;
  same('tokens', entries.map((entry) => entry.token).join(''), choice.message.content);
  same('top_logprobs', new Set(entries.map((entry) => entry.top_logprobs.length)).size, 1);
  same('top_logprobs', entries[0].top_logprobs.length, 2);
});

check('responses', async () => {
  goodResponse(await respond());
});

check('responses max_output_tokens=3', async () => {
  const answer = await respond(client(), { max_output_tokens: 3 });
  same('status', answer.status, 'incomplete');
  same('reason', answer.incomplete_details?.reason, 'max_output_tokens');
});

// --- completions, moderations, models -------------------------------------------------------

check('completions', async () => {
  const answer = await client().completions.create({ model: MODEL, prompt: 'Hello' });
  same('object', answer.object, 'text_completion');
  that(answer.choices[0].text, 'text is empty');
  same('finish_reason', answer.choices[0].finish_reason, 'stop');
});

check('moderations', async () => {
  const model = 'omni-moderation-latest';
  const answer = await client().moderations.create({ model, input: ['one', 'two', 'three'] });
  same('model', answer.model, model);
  same('flagged', answer.results.map((result) => result.flagged), [false, false, false]);
});

check('models', async () => {
  const names = [];
  for await (const model of client().models.list()) names.push(model.id);
  that(names.includes(MODEL), `${MODEL} is not among ${names}`);
  for (const name of [...names, 'my-own:v1']) {
    same('id', (await client().models.retrieve(name)).id, name);
  }
});

// --- embeddings -----------------------------------------------------------------------------

check("embeddings as base64, the client's default", async () => {
  // This client decodes for the caller; fetch's own body shows what was sent.
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
  // mocker responds before it has read everything, and the client must still see the response. If
  // the server closed too early, this would fail only sometimes, hence several tries.
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
    // Node's fetch returns the response just before its connection is free again; a call at that
    // very moment opens a second one, which is no fault of the server.
    await setImmediate();
  }
  same('connections', relay.connections, 1);
});

await run('node', `node ${process.versions.node}, openai ${VERSION}`);
