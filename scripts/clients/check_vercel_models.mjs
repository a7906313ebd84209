// Fills every Zod model of the tables through the Vercel AI SDK, as an object and as the input of a
// tool, over each of OpenAI's APIs that has both. Zod validates them inside the SDK.

import { createRequire } from 'node:module';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, Output, tool } from 'ai';
import { MODEL, PLAIN, check, every, run, same, that } from './kit.mjs';
import { MODELS as SHAPES } from './models_shapes.mjs';
import { MODELS as VALUES } from './models_values.mjs';

// The SDK removes lookarounds and `propertyNames` from schemas, because OpenAI does not support
// them, and logs a warning. The schemas of these models then permit values that Zod rejects.
globalThis.AI_SDK_LOG_WARNINGS = false;
const REDUCED = new Set(['Lookarounds', 'Keys', 'PartialRecord']);

const openai = createOpenAI({ baseURL: PLAIN + '/v1', apiKey: 'test-key' });
const APIS = { responses: openai(MODEL), chat: openai.chat(MODEL) };
// No retries: a second attempt would hide an error of the first.
const asked = { prompt: 'Hello', maxRetries: 0, timeout: 30_000 };

async function fillObject(model, schema) {
  const answer = await generateText({ model, ...asked, output: Output.object({ schema }) });
  that(answer.output, 'there is no object');
}

async function fillTool(model, inputSchema) {
  const tools = { fill: tool({ inputSchema }) };
  const answer = await generateText({ model, ...asked, tools, toolChoice: 'required' });
  same('calls', answer.toolCalls.map((call) => call.toolName), ['fill']);
  const [call] = answer.toolCalls;
  that(!call.invalid, `the call is invalid: ${call.error}`);
}

for (const [name, schema] of Object.entries({ ...VALUES, ...SHAPES })) {
  if (REDUCED.has(name)) continue;
  const ways = {};
  for (const [api, model] of Object.entries(APIS)) {
    ways[`${api} object`] = () => fillObject(model, schema);
    ways[`${api} tool`] = () => fillTool(model, schema);
  }
  check(name, () => every(ways));
}

const version = (name) => createRequire(import.meta.url)(`${name}/package.json`).version;
await run('vercel models', `ai ${version('ai')}, @ai-sdk/openai ${version('@ai-sdk/openai')}`);
