// Checks of streams with the Node OpenAI client: chunks and events, their order and their times.

import { VERSION } from 'openai/version';
import {
  BIG,
  HELLO,
  MODEL,
  PACED,
  TOKENS,
  chat,
  check,
  client,
  goodChat,
  goodResponse,
  neverEarly,
  respond,
  run,
  same,
  that,
  upTo,
} from './kit.mjs';

const RESPONSE_EVENTS = [
  'response.created',
  'response.in_progress',
  'response.output_item.added',
  'response.content_part.added',
  'response.output_text.delta',
  'response.output_text.done',
  'response.content_part.done',
  'response.output_item.done',
  'response.completed',
];
const asked = { model: MODEL, messages: HELLO };
const chatText = async (by) => (await chat(by)).choices[0].message.content;
const firstWords = (text, count) => text.split(' ').slice(0, count).join(' ');

async function all(stream) {
  const parts = [];
  for await (const part of await stream) parts.push(part);
  return parts;
}

// Returns the chunks of a chat with one choice, except a last one with the usage.
function goodChunks(chunks, text, reason = 'stop') {
  same('different ids', new Set(chunks.map((chunk) => chunk.id)).size, 1);
  const choices = chunks.map((chunk) => chunk.choices[0]);
  same('first role', choices[0].delta.role, 'assistant');
  const reasons = choices.map((choice) => choice.finish_reason);
  same('finish_reasons', reasons, [...Array(chunks.length - 1).fill(null), reason]);
  same('text', choices.map((choice) => choice.delta.content ?? '').join(''), text);
  // One for the role, one for each word, one for the end.
  same('chunks', chunks.length, text.split(' ').length + 2);
}

// Returns the events of a response's stream, from created to the complete response.
function goodEvents(events, text, last = 'response.completed') {
  same('sequence', events.map((event) => event.sequence_number), upTo(events.length));
  const deltas = events.filter((event) => event.type === 'response.output_text.delta');
  same('deltas', deltas.length, text.split(' ').length);
  same('text', deltas.map((event) => event.delta).join(''), text);
  const kinds = events.map((event) => event.type);
  kinds.splice(kinds.indexOf('response.output_text.delta'), deltas.length - 1);
  same('events', kinds, [...RESPONSE_EVENTS.slice(0, -1), last]);
  same('id at the end', events.at(-1).response.id, events[0].response.id);
}

// --- chat -----------------------------------------------------------------------------------

check('chat stream: true', async () => {
  const chunks = await all(chat(client(), { stream: true }));
  goodChunks(chunks, await chatText());
  that(chunks.every((chunk) => !chunk.usage), 'a chunk tells the usage');
});

check('chat stream with include_usage', async () => {
  const more = { stream: true, stream_options: { include_usage: true } };
  const chunks = await all(chat(client(), more));
  const { choices, usage } = chunks.pop();
  goodChunks(chunks, await chatText());
  same('choices of the last', choices, []);
  same('total_tokens', usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
});

check('chat stream, 50 at once', async () => {
  const by = client();
  const text = await chatText();
  const streams = await Promise.all(upTo(50).map(() => all(chat(by, { stream: true }))));
  for (const chunks of streams) goodChunks(chunks, text);
  same('different ids', new Set(streams.map((chunks) => chunks[0].id)).size, 50);
});

check('chat stream max_tokens=3', async () => {
  const text = firstWords(await chatText(), 3);
  for (const limit of ['max_tokens', 'max_completion_tokens']) {
    goodChunks(await all(chat(client(), { stream: true, [limit]: 3 })), text, 'length');
  }
});

check('chat stream big payload', async () => {
  const by = client(BIG);
  goodChunks(await all(chat(by, { stream: true })), await chatText(by));
});

check('chat.completions.stream()', async () => {
  const usage = { stream_options: { include_usage: true } };
  const stream = client().chat.completions.stream({ ...asked, ...usage });
  let text = '';
  stream.on('content', (delta) => (text += delta));
  goodChat(await stream.finalChatCompletion());
  same('content', text, await chatText());
  same('finalContent', await stream.finalContent(), text);
});

check('chat stream left early', async () => {
  // The client then drops the connection; its next request must not get the rest.
  const by = client(PACED);
  for (const _ of upTo(5)) {
    for await (const _ of await chat(by, { stream: true })) break;
    const answer = await chat(by);
    goodChat(answer);
    same('completion_tokens', answer.usage.completion_tokens, TOKENS);
  }
});

// --- responses and completions --------------------------------------------------------------

check('responses stream: true', async () => {
  goodEvents(await all(respond(client(), { stream: true })), (await respond()).output_text);
});

check('responses stream max_output_tokens=3', async () => {
  const events = await all(respond(client(), { stream: true, max_output_tokens: 3 }));
  goodEvents(events, firstWords((await respond()).output_text, 3), 'response.incomplete');
  same('reason', events.at(-1).response.incomplete_details?.reason, 'max_output_tokens');
});

check('responses.stream()', async () => {
  const stream = client().responses.stream({ model: MODEL, input: 'Hello' });
  const events = await all(stream);
  const final = await stream.finalResponse();
  goodResponse(final);
  goodEvents(events, final.output_text);
  same('text', final.output_text, (await respond()).output_text);
});

check('completions stream: true', async () => {
  const prompt = { model: MODEL, prompt: 'Hello' };
  const chunks = await all(client().completions.create({ ...prompt, stream: true }));
  const text = chunks.map((chunk) => chunk.choices[0].text).join('');
  same('text', text, (await client().completions.create(prompt)).choices[0].text);
  same('finish_reason', chunks.at(-1).choices[0].finish_reason, 'stop');
});

// --- time -----------------------------------------------------------------------------------

check('chat stream is never early', async () => {
  const by = client(PACED);
  const stream = () => chat(by, { stream: true });
  await neverEarly(stream, (chunk) => chunk.choices[0].delta.content);
});

check('responses stream is never early', async () => {
  const by = client(PACED);
  const stream = () => respond(by, { stream: true });
  await neverEarly(stream, (event) => event.type === 'response.output_text.delta');
});

await run('node streams', `openai ${VERSION}`);
