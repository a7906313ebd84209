// A simple mock chat endpoint with Node's http.
import http from "node:http";

const option = (name, other) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? other : process.argv[at + 1];
};
const latency = Number(option("-latency", "0"));
const content = option("-content", "");
let number = 0;

function complete(model) {
  const prompt = 100 + Math.floor(Math.random() * 400);
  const output = 100 + Math.floor(Math.random() * 400);
  number += 1;
  return JSON.stringify({
    id: "chatcmpl-" + number.toString(16).padStart(16, "0"),
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model,
    choices: [{
      index: 0,
      message: {role: "assistant", content, refusal: null},
      logprobs: null,
      finish_reason: "stop",
    }],
    usage: {prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output},
  });
}

const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const {model} = JSON.parse(Buffer.concat(pieces));
    const respond = () => {
      const body = complete(model);
      response.writeHead(200, {
        "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body),
      });
      response.end(body);
    };
    if (latency > 0) setTimeout(respond, latency);
    else respond();
  });
});
server.keepAliveTimeout = 60000;
server.listen({host: "127.0.0.1", port: 0, backlog: 4096}, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
